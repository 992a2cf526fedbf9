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

/** Local SGD: everyone takes H steps alone, and θ becomes the mean of where they have come to. */
export default defineMethod({
  name: 'local-sgd',
  title: 'Local SGD',
  summary:
    'Rounds of H local steps, then the mean. H times less traffic than synchronous SGD; the slowest sets the pace.',
  paper: {
    authors: 'Stich',
    year: 2019,
    title: 'Local SGD Converges Fast and Communicates Little',
    url: 'https://arxiv.org/abs/1805.09767',
    where: 'Algorithm 1',
  },
  hyperparameters: { ...INNER, ...SYNCHRONIZATION, ...ROUND, ...ROBUST },
  axes: (h, dim) => ({
    work: localSteps(h, stepsByRule(h)),
    gate: bsp(),
    view: currentParams(),
    screen: [currentRound(), finite()],
    correct: uncorrected(),
    gather: round(dim, { ...h, equally: true }),
    outer: displacement({ outerLearningRate: 1 }),
  }),
  example: {
    config: { learningRate: 0.1 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [1],
        because: 'Δ of a; b is outstanding: the round waits',
      },
      {
        event: { type: 'push', worker: 'b', vector: [3] },
        params: [-1],
        because: 'θ = 1 − (1 + 3)/2, the mean of 0 and −2',
      },
      { event: { type: 'pull', worker: 'a' }, params: [-1], because: 'θ' },
    ],
  },
});
