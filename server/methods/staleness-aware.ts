import { divideByLag } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/** Staleness-aware SGD: a gradient that is τ versions late counts for 1/τ. */
export default defineMethod({
  name: 'staleness-aware',
  title: 'Staleness-aware SGD',
  summary:
    'Divides a gradient by its lag, however little θ has moved meanwhile. Safe, and slow when there are many workers.',
  paper: {
    authors: 'Zhang, Gupta, Lian and Liu',
    year: 2016,
    title: 'Staleness-aware Async-SGD for Distributed Deep Learning',
    url: 'https://arxiv.org/abs/1511.05950',
    where: 'equation 6: the learning rate divided by the staleness',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: divideByLag(),
    gather: each(),
    outer: momentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.5], because: 'τ = 0: v = 1, θ = 1 − 0.5' },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγv = 0.5 − 0.25·1' },
      {
        event: { type: 'push', worker: 'a', vector: [0.5] },
        params: [0],
        because: 'τ = 0: v = 0.5·1 + 0.5 = 1, θ = 0.5 − 0.5',
      },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [-0.5],
        because: 'τ = 2: ĝ = 1/2, v = 0.5·1 + 0.5 = 1, θ = 0 − 0.5',
      },
    ],
  },
});
