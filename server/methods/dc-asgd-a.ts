import { compensateDelayAdaptively } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { LAMBDA, MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * Delay compensation with an adaptive λ: divided by the root mean square of the gradients, so that the correction
 * keeps its size.
 */
export default defineMethod({
  name: 'dc-asgd-a',
  title: 'DC-ASGD, adaptive',
  summary: 'Delay compensation whose strength follows the size of the gradients.',
  paper: {
    authors: 'Zheng, Meng, Wang, Chen, Yu, Ma and Liu',
    year: 2017,
    title: 'Asynchronous Stochastic Gradient Descent with Delay Compensation',
    url: 'https://arxiv.org/abs/1609.08326',
    where: 'Algorithm 2 with the adaptive λ (DC-ASGD-a), on Nesterov momentum',
  },
  hyperparameters: {
    momentum: MOMENTUM,
    lambda: { ...LAMBDA, symbol: 'λ₀' },
    meanSquareDecay: {
      kind: 'number',
      symbol: 'm',
      description: 'Decay of the running mean of squared gradients.',
      default: 0.95,
      min: 0,
      below: 1,
    },
  },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: compensateDelayAdaptively(dim, h),
    gather: each(),
    outer: momentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.25, momentum: 0, lambda: 1, meanSquareDecay: 0 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.75], because: 'θ = s: ĝ = g; θ = 1 − 0.25' },
      {
        event: { type: 'push', worker: 'b', vector: [2] },
        params: [0.375],
        because: 'm = 0: mean square 4, λ = 1/√4; ĝ = 2 + 0.5·2²·(0.75 − 1) = 1.5, θ = 0.75 − 0.375',
      },
    ],
  },
});
