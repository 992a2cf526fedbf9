import { uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentumPerWorker } from '../core/outer/worker-momentum.ts';
import { finite } from '../core/screen.ts';
import { ownLookAhead } from '../core/view.ts';

/** One momentum a worker, and each worker looks ahead along its own: none of them sees what the others will do. */
export default defineMethod({
  name: 'multi-asgd',
  title: 'Multi-ASGD',
  summary: 'A Nesterov momentum for each worker. Stands more workers than one shared momentum, fewer than DANA.',
  paper: {
    authors: 'Hakimi, Barkai, Gabel and Schuster',
    year: 2019,
    title: 'Taming Momentum in a Distributed Asynchronous Environment',
    url: 'https://arxiv.org/abs/1907.11612',
    where: 'the Multi-ASGD baseline: a momentum for each worker at the parameter server',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: ownLookAhead(h.momentum),
    screen: [finite()],
    correct: uncorrected(),
    gather: each(),
    outer: momentumPerWorker(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ, no momentum yet' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.5], because: 'vᵃ = 1, θ = 1 − 0.5' },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγvᵃ = 0.5 − 0.25·1' },
      { event: { type: 'push', worker: 'b', vector: [1] }, params: [0], because: 'vᵇ = 1, θ = 0.5 − 0.5' },
      { event: { type: 'pull', worker: 'b' }, params: [-0.25], because: 'θ − ηγvᵇ = 0 − 0.25·1' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [-0.75],
        because: 'vᵃ = 0.5·1 + 1 = 1.5, θ = 0 − 0.75',
      },
      { event: { type: 'leave', worker: 'b' }, params: [-0.75], because: 'vᵇ is dropped' },
      { event: { type: 'pull', worker: 'b' }, params: [-0.75], because: 'θ: b is new again' },
    ],
  },
});
