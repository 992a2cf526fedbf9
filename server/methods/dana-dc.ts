import { compensateDelay } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { LAMBDA, MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { danaMomentum } from '../core/outer/worker-momentum.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/** DANA-Zero with delay compensation: what is left of the gap after the look-ahead is corrected by a Taylor step. */
export default defineMethod({
  name: 'dana-dc',
  title: 'DANA-DC',
  summary:
    'DANA-Zero, and the gradient is corrected for what the look-ahead did not foresee, by a cheap guess of the curvature.',
  paper: {
    authors: 'Hakimi, Barkai, Gabel and Schuster',
    year: 2019,
    title: 'Taming Momentum in a Distributed Asynchronous Environment',
    url: 'https://arxiv.org/abs/1907.11612',
    where: 'the DANA-DC algorithm',
  },
  hyperparameters: { momentum: MOMENTUM, lambda: LAMBDA },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: compensateDelay(h),
    gather: each(),
    outer: danaMomentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5, lambda: 1 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5],
        because: 'θ = s: ĝ = g; vᵃ = 1, V = 1, θ = 1 − 0.5',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγV = 0.5 − 0.25·1' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.25],
        because: 'ĝ = 1 + 1·1²·(0.5 − 1) = 0.5, vᵇ = 0.5, V = 1.5, θ = 0.5 − 0.25',
      },
      { event: { type: 'pull', worker: 'b' }, params: [-0.125], because: 'θ − ηγV = 0.25 − 0.25·1.5' },
      {
        event: { type: 'push', worker: 'a', vector: [2] },
        params: [-1],
        because: 'θ = s, as foreseen: ĝ = 2, vᵃ = 0.5·1 + 2 = 2.5, θ = 0.25 − 1.25',
      },
    ],
  },
});
