import { uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { defineMethod } from '../core/method.ts';
import { sgd } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';

/**
 * Asynchronous stochastic gradient descent: every gradient is applied as it comes, as if it were fresh. The baseline.
 */
export default defineMethod({
  name: 'asgd',
  title: 'Asynchronous SGD',
  summary: 'Applies every gradient as it comes, as if it were fresh. The baseline: fine for a few similar workers.',
  paper: {
    authors: 'Dean, Corrado, Monga, Chen, Devin, Le, Mao, Ranzato, Senior, Tucker, Yang and Ng',
    year: 2012,
    title: 'Large Scale Distributed Deep Networks',
    url: 'https://papers.nips.cc/paper/4687-large-scale-distributed-deep-networks',
    where: 'section 4.1, Downpour SGD with one gradient a push',
  },
  hyperparameters: {},
  axes: () => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: currentParams(),
    screen: [finite()],
    correct: uncorrected(),
    gather: each(),
    outer: sgd(),
  }),
  example: {
    config: { learningRate: 0.5 },
    params: [1, 2],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1, 2], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1, 2], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1, 0] }, params: [0.5, 2], because: '1 − 0.5·1' },
      {
        event: { type: 'push', worker: 'b', vector: [1, 4] },
        params: [0, 0],
        because: 'lag 1, applied whole: 0.5 − 0.5·1, 2 − 0.5·4',
      },
    ],
  },
});
