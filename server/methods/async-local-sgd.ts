import { uncorrected } from '../core/correct.ts';
import { gracePeriod } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { OUTER } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { delayedNesterov } from '../core/outer/local.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { ADAMW, dynamicSteps, INNER } from '../core/work.ts';

/**
 * Asynchronous local SGD: every displacement moves θ as it comes, the momentum only once in N; workers take as many
 * steps as they are fast.
 */
export default defineMethod({
  name: 'async-local-sgd',
  title: 'Asynchronous Local SGD',
  summary:
    'DiLoCo without waiting: delayed Nesterov momentum, steps by speed, and a short grace period. As good, in a fraction of the time.',
  paper: {
    authors: 'Liu, Chhaparia, Douillard, Kale, Rusu, Shen, Szlam and Ranzato',
    year: 2024,
    title: 'Asynchronous Local-SGD Training for Language Modeling',
    url: 'https://arxiv.org/abs/2401.09135',
    where: 'Delayed Nesterov, dynamic local updates and the grace period',
  },
  hyperparameters: {
    ...OUTER,
    bufferSize: {
      kind: 'number',
      symbol: 'N',
      description: 'Pushes from one momentum step to the next; 0 for as many as there are workers, read at each push.',
      default: 0,
      min: 0,
      max: 10_000,
      integer: true,
    },
    momentumActivation: {
      kind: 'number',
      symbol: 'c',
      description: 'Part of the momentum that every push applies, from 0 to 1/N.',
      default: 0,
      min: 0,
      max: 1,
    },
    gracePart: {
      kind: 'number',
      symbol: '',
      description: 'How long who has finished waits for others to start again together, as part of the shortest lease.',
      default: 0.25,
      min: 0,
    },
    dynamicSteps: {
      kind: 'choice',
      description: 'Whether H is in proportion to the worker’s speed (DyLU), or the same for all.',
      default: 'on',
      choices: ['on', 'off'],
    },
    shardSampling: {
      kind: 'choice',
      description: 'Whether each lease’s shard is drawn, those left behind first, or a worker stays on its shard.',
      default: 'on',
      choices: ['on', 'off'],
    },
    ...INNER,
    localSteps: { ...INNER.localSteps, default: 50 },
    innerOptimizer: ADAMW,
  },
  axes: (h, dim) => {
    if (h.momentumActivation * h.bufferSize > 1) {
      throw new Error(
        `method "async-local-sgd": momentumActivation is ${h.momentumActivation}, expected at most 1/bufferSize = ${1 / h.bufferSize}`,
      );
    }
    return {
      work: {
        ...dynamicSteps({ ...h, dynamic: h.dynamicSteps === 'on' }),
        drawsShards: h.shardSampling === 'on',
      },
      gate: gracePeriod(h),
      view: currentParams(),
      screen: [finite()],
      correct: uncorrected(),
      gather: each(),
      outer: delayedNesterov(dim, h),
    };
  },
  example: {
    config: { learningRate: 0.1, outerLearningRate: 0.5, outerMomentum: 0.5, bufferSize: 2, gracePart: 0 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [0.75], because: 'first of two: θ = 1 − 0.5·(1/2)' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.25],
        because: 'second: m = (1 + 1)/2 = 1, θ = 0.75 − 0.5·(0.5·1 + 1/2)',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [0.25], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [2] },
        params: [-0.25],
        because: 'first of two, c = 0: θ = 0.25 − 0.5·(2/2)',
      },
      {
        event: { type: 'push', worker: 'b', vector: [2] },
        params: [-1.375],
        because: 'm = 0.5·1 + (2 + 2)/2 = 2.5, θ = −0.25 − 0.5·(0.5·2.5 + 2/2)',
      },
    ],
  },
});
