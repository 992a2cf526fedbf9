import { uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { danaSlim } from '../core/outer/worker-momentum.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';

/**
 * DANA-Slim: the coordinator holds the look-ahead point Θ = θ − ηγV itself, and Θ is what is sent, measured and saved.
 */
export default defineMethod({
  name: 'dana-slim',
  title: 'DANA-Slim',
  summary:
    'DANA-Zero with the look-ahead point in place of θ: a momentum a worker is kept all the same, their sum is not. Equal while the learning rate is constant and nobody leaves.',
  paper: {
    authors: 'Hakimi, Barkai, Gabel and Schuster',
    year: 2019,
    title: 'Taming Momentum in a Distributed Asynchronous Environment',
    url: 'https://arxiv.org/abs/1907.11612',
    where: 'the DANA-Slim algorithm',
  },
  hyperparameters: { momentum: MOMENTUM },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: currentParams(),
    screen: [finite()],
    correct: uncorrected(),
    gather: each(),
    outer: danaSlim(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, momentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'Θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'Θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.25],
        because: 'vᵃ = 1, u = 0.5·1 + 1 = 1.5, Θ = 1 − 0.75',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'Θ' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [-0.5],
        because: 'vᵇ = 1, u = 1.5, Θ = 0.25 − 0.75',
      },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [-1.375],
        because: 'vᵃ = 1.5, u = 0.75 + 1 = 1.75, Θ = −0.5 − 0.875; DANA-Zero has θ − ηγV = −0.75 − 0.25·2.5',
      },
    ],
  },
});
