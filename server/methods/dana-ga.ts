import { divideByGap } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { GAP_AWARE, MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { danaMomentum } from '../core/outer/worker-momentum.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * DANA-Zero with gap-aware gradients: the gap is measured from the look-ahead that was sent, so only what it did not
 * foresee is penalized.
 */
export default defineMethod({
  name: 'dana-ga',
  title: 'DANA-GA',
  summary:
    'DANA-Zero, with each gradient divided by how far θ is from where the worker was told it would be. The steadiest with many workers of like speed.',
  paper: {
    authors: 'Barkai, Hakimi and Schuster',
    year: 2020,
    title: 'Gap-Aware Mitigation of Gradient Staleness',
    url: 'https://arxiv.org/abs/1909.10802',
    where: 'the parameter-wise Gap-Aware algorithm on DANA',
  },
  hyperparameters: { momentum: MOMENTUM, ...GAP_AWARE },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: divideByGap(dim, { decay: h.gapDecay, epsilon: h.epsilon }),
    gather: each(),
    outer: danaMomentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5, gapDecay: 0.5, epsilon: 1e-8 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5],
        because: 'n = 0: no penalty; vᵃ = 1, V = 1, θ = 1 − 0.5; E = 0.5·1²',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγV = 0.5 − 0.25·1' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.25],
        because: 'C = 0.5·√(0.5/(1 − 0.5)) = 0.5, |θ − s| = 0.5: ĝ = 1/2, vᵇ = 0.5, V = 1.5, θ = 0.5 − 0.25',
      },
      { event: { type: 'pull', worker: 'b' }, params: [-0.125], because: 'θ − ηγV = 0.25 − 0.25·1.5' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [-0.5],
        because: 'θ = s, as foreseen: no penalty; vᵃ = 0.5·1 + 1 = 1.5, V = 2, θ = 0.25 − 0.75',
      },
    ],
  },
});
