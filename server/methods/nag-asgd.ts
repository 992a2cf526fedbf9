import { uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * Nesterov's momentum at the coordinator, one buffer for everyone: each gradient is taken a momentum step ahead of θ.
 */
export default defineMethod({
  name: 'nag-asgd',
  title: 'NAG-ASGD',
  summary:
    'Asynchronous SGD with one Nesterov momentum for all workers. Fast with few of them; diverges early as they become many.',
  paper: {
    authors: 'Hakimi, Barkai, Gabel and Schuster',
    year: 2019,
    title: 'Taming Momentum in a Distributed Asynchronous Environment',
    url: 'https://arxiv.org/abs/1907.11612',
    where: 'the NAG-ASGD baseline: one momentum at the parameter server',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
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
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ − ηγv = 0.5 − 0.25·1' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [-0.25],
        because: 'v = 0.5·1 + 1 = 1.5, θ = 0.5 − 0.75',
      },
      {
        event: { type: 'push', worker: 'a', vector: [0.5] },
        params: [-0.875],
        because: 'v = 0.5·1.5 + 0.5 = 1.25, θ = −0.25 − 0.625',
      },
    ],
  },
});
