import { uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { danaMomentum } from '../core/outer/worker-momentum.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * DANA-Zero: a momentum for each worker, and every worker looks ahead along the sum of them all: where θ will be once
 * each has pushed.
 */
export default defineMethod({
  name: 'dana-zero',
  title: 'DANA-Zero',
  summary:
    'Sends each worker an estimate of where everyone together will have moved θ. Momentum for many workers, without tuning anew.',
  paper: {
    authors: 'Hakimi, Barkai, Gabel and Schuster',
    year: 2019,
    title: 'Taming Momentum in a Distributed Asynchronous Environment',
    url: 'https://arxiv.org/abs/1907.11612',
    where: 'the DANA-Zero algorithm',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: uncorrected(),
    gather: each(),
    outer: danaMomentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.5], because: 'vᵃ = 1, V = 1, θ = 1 − 0.5' },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγV = 0.5 − 0.25·1' },
      { event: { type: 'push', worker: 'b', vector: [1] }, params: [0], because: 'vᵇ = 1, V = 2, θ = 0.5 − 0.5' },
      { event: { type: 'pull', worker: 'b' }, params: [-0.5], because: 'θ − ηγV = 0 − 0.25·2' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [-0.75],
        because: 'vᵃ = 0.5·1 + 1 = 1.5, V = 2.5, θ = 0 − 0.75',
      },
      { event: { type: 'leave', worker: 'b' }, params: [-0.75], because: 'V = 2.5 − vᵇ = 1.5' },
      { event: { type: 'pull', worker: 'a' }, params: [-1.125], because: 'θ − ηγV = −0.75 − 0.25·1.5' },
    ],
  },
});
