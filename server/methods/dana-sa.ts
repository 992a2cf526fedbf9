import { divideByLag } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { danaMomentum } from '../core/outer/worker-momentum.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/** DANA-Zero with staleness-aware gradients: each is divided by its lag before it enters its momentum. */
export default defineMethod({
  name: 'dana-sa',
  title: 'DANA-SA',
  summary:
    'DANA-Zero, with each gradient divided by its lag. Behind DANA-GA where workers are alike, level with it or ahead where there are many of differing speeds.',
  paper: {
    authors: 'Barkai, Hakimi and Schuster',
    year: 2020,
    title: 'Gap-Aware Mitigation of Gradient Staleness',
    url: 'https://arxiv.org/abs/1909.10802',
    where: 'the comparison of penalties on DANA: dividing by the staleness',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: divideByLag(),
    gather: each(),
    outer: danaMomentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'c' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5],
        because: 'τ = 0: vᵃ = 1, V = 1, θ = 1 − 0.5',
      },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0],
        because: 'τ = 1: ĝ = 1, vᵇ = 1, V = 2, θ = 0.5 − 0.5',
      },
      {
        event: { type: 'push', worker: 'c', vector: [2] },
        params: [-0.5],
        because: 'τ = 2: ĝ = 1, vᶜ = 1, V = 3, θ = 0 − 0.5',
      },
      { event: { type: 'pull', worker: 'a' }, params: [-1.25], because: 'θ − ηγV = −0.5 − 0.25·3' },
    ],
  },
});
