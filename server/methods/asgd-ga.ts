import { divideByGap } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { GAP_AWARE } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { sgd } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';

/**
 * Gap-aware gradients without momentum: the plainest form, in which the average step is that of the gradients
 * themselves.
 */
export default defineMethod({
  name: 'asgd-ga',
  title: 'ASGD with Gap-Aware',
  summary: 'Gap-Aware without momentum. Helps when there are many workers; slower than plain ASGD when there are few.',
  paper: {
    authors: 'Barkai, Hakimi and Schuster',
    year: 2020,
    title: 'Gap-Aware Mitigation of Gradient Staleness',
    url: 'https://arxiv.org/abs/1909.10802',
    where: 'the parameter-wise Gap-Aware algorithm without momentum',
  },
  hyperparameters: GAP_AWARE,
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: currentParams(),
    screen: [finite()],
    correct: divideByGap(dim, { decay: h.gapDecay, epsilon: h.epsilon }),
    gather: each(),
    outer: sgd(),
  }),
  example: {
    config: { learningRate: 0.5, gapDecay: 0.5, epsilon: 1e-8 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.5], because: 'n = 0: no penalty; E = 0.5·1²' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.25],
        because: 'C = 0.5·√(0.5/(1 − 0.5)) = 0.5, |θ − s| = 0.5: ĝ = 1/2; E = 0.25 + 0.5·0.25 = 0.375',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [-1] }, params: [0.75], because: 'no gap: applied whole' },
    ],
  },
});
