import { compensateDelay } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { LAMBDA, MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * Delay compensation: a stale gradient is carried over to θ by a first-order Taylor step, with g⊙g for the Hessian's
 * diagonal.
 */
export default defineMethod({
  name: 'dc-asgd',
  title: 'DC-ASGD',
  summary:
    'Corrects a stale gradient for the distance θ has moved, by a cheap guess of the curvature. With a constant λ.',
  paper: {
    authors: 'Zheng, Meng, Wang, Chen, Yu, Ma and Liu',
    year: 2017,
    title: 'Asynchronous Stochastic Gradient Descent with Delay Compensation',
    url: 'https://arxiv.org/abs/1609.08326',
    where: 'Algorithm 2 with a constant λ (DC-ASGD-c), on Nesterov momentum',
  },
  hyperparameters: { momentum: MOMENTUM, lambda: LAMBDA },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: compensateDelay(h),
    gather: each(),
    outer: momentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5, lambda: 1 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.5], because: 'θ = s: ĝ = g; v = 1, θ = 1 − 0.5' },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγv = 0.5 − 0.25·1' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0],
        because: 'ĝ = 1 + 1·1²·(0.5 − 1) = 0.5, v = 0.5·1 + 0.5 = 1, θ = 0.5 − 0.5',
      },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [-0.625],
        because: 'ĝ = 1 + 1·1²·(0 − 0.25) = 0.75, v = 0.5·1 + 0.75 = 1.25, θ = 0 − 0.625',
      },
    ],
  },
});
