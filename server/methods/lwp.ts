import { uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { predicted } from '../core/view.ts';

/**
 * Linear weight prediction: a worker is sent the θ that is expected when its gradient comes back, τ̂ = N − 1 updates
 * later.
 */
export default defineMethod({
  name: 'lwp',
  title: 'Linear Weight Prediction',
  summary: 'Sends each worker the parameters that momentum alone would lead to by the time its gradient is back.',
  paper: {
    authors: 'Kosson, Chiley, Venigalla, Hestness and Köster',
    year: 2020,
    title: 'Pipelined Backpropagation at Scale: Training Large Models without Batches',
    url: 'https://arxiv.org/abs/2003.11666',
    where: 'linear weight prediction by the velocity, with N − 1 for the delay of N workers',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: predicted(),
    screen: [finite()],
    correct: uncorrected(),
    gather: each(),
    outer: momentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.5], because: 'v = 1, θ = 1 − 0.5' },
      { event: { type: 'pull', worker: 'a' }, params: [0], because: 'N = 2, τ̂ = 1: θ − ητ̂v = 0.5 − 0.5·1' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [-0.25],
        because: 'v = 0.5·1 + 1 = 1.5, θ = 0.5 − 0.75',
      },
      { event: { type: 'pull', worker: 'b' }, params: [-1], because: 'θ − ητ̂v = −0.25 − 0.5·1.5' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [-1.125],
        because: 'v = 0.5·1.5 + 1 = 1.75, θ = −0.25 − 0.875',
      },
      { event: { type: 'leave', worker: 'b' }, params: [-1.125], because: 'N = 1' },
      { event: { type: 'pull', worker: 'a' }, params: [-1.125], because: 'θ: of one worker no lag is expected' },
    ],
  },
});
