import { ROBUST } from '../core/combine.ts';
import { uncorrected } from '../core/correct.ts';
import { bsp } from '../core/gate.ts';
import { round } from '../core/gather.ts';
import { ROUND } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { displacement } from '../core/outer/local.ts';
import { currentRound, finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { INNER, SYNCHRONIZATION, localSteps, stepsByRule } from '../core/work.ts';

/** Post-local SGD: a step a round until a given epoch, as in synchronous SGD, and H steps a round from then on. */
export default defineMethod({
  name: 'post-local-sgd',
  title: 'Post-local SGD',
  summary:
    'Synchronous at first, while θ moves much; local steps after. Better generalization than large batches, in its paper.',
  paper: {
    authors: 'Lin, Stich, Patel and Jaggi',
    year: 2020,
    title: 'Don’t Use Large Mini-Batches, Use Local SGD',
    url: 'https://arxiv.org/abs/1808.07217',
    where: 'post-local SGD',
  },
  hyperparameters: {
    switchEpoch: {
      kind: 'number',
      symbol: 't′',
      description: 'Epochs with one step a round.',
      default: 5,
      min: 0,
    },
    ...INNER,
    localSteps: { ...INNER.localSteps, default: 16 },
    ...SYNCHRONIZATION,
    ...ROUND,
    ...ROBUST,
  },
  axes: (h, dim) => {
    const later = stepsByRule(h);
    return {
      work: localSteps(h, (at) => (at.epochs < h.switchEpoch ? 1 : later(at))),
      gate: bsp(),
      view: currentParams(),
      screen: [currentRound(), finite()],
      correct: uncorrected(),
      gather: round(dim, { ...h, equally: true }),
      outer: displacement({ outerLearningRate: 1 }),
    };
  },
  example: {
    config: { learningRate: 0.1 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [0.5] },
        params: [1],
        because: 'Δ = ηg of one step; b is outstanding',
      },
      { event: { type: 'push', worker: 'b', vector: [0.25] }, params: [0.625], because: 'θ = 1 − (0.5 + 0.25)/2' },
      { event: { type: 'pull', worker: 'b' }, params: [0.625], because: 'θ' },
    ],
  },
});
