import { ROBUST } from '../core/combine.ts';
import { uncorrected } from '../core/correct.ts';
import { globalBatch } from '../core/globalbatch.ts';
import { MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * GBA: every update is of one global batch of M gradients, in lockstep or not; a gradient that is too late for its
 * update counts for nothing.
 */
export default defineMethod({
  name: 'gba',
  title: 'Global Batch Gradients Aggregation',
  summary:
    'Goes from synchronous to asynchronous and back in mid-run, by itself if wished, with one set of hyper-parameters.',
  paper: {
    authors: 'Su, Zhang, Cai, Ren, Wang, Yi, Song, Chen, Deng, Xu, Qu and Zheng',
    year: 2022,
    title:
      'GBA: A Tuning-free Approach to Switch between Synchronous and Asynchronous Training for Recommendation Models',
    url: 'https://arxiv.org/abs/2205.11048',
    where: 'the token-control process and the aggregation of one global batch',
  },
  hyperparameters: {
    momentum: { ...MOMENTUM, default: 0 },
    bufferSize: {
      kind: 'number',
      symbol: 'M',
      description: 'Gradients of one update: the global batch divided by a lease’s batch.',
      default: 8,
      min: 1,
      max: 10_000,
      integer: true,
    },
    maxStaleness: {
      kind: 'number',
      symbol: 'ι',
      description: 'Updates that a gradient may be late for its own; beyond, it counts for nothing.',
      default: 3,
      min: 0,
      integer: true,
    },
    mode: {
      kind: 'choice',
      description:
        'Nobody waits (async), in lockstep (sync), or whichever suits the workers, measured all the time (auto).',
      default: 'async',
      choices: ['async', 'sync', 'auto'],
    },
    hysteresis: {
      kind: 'number',
      symbol: '',
      description:
        'Of auto: asynchronous when lockstep would lose more than this part of the throughput; back at half of it.',
      default: 0.2,
      min: 0,
      below: 1,
    },
    window: {
      kind: 'number',
      symbol: '',
      description: 'Of auto: updates in a row that must agree before the mode changes.',
      default: 5,
      min: 1,
      integer: true,
    },
    ...ROBUST,
  },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    ...globalBatch(dim, h),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: uncorrected(),
    outer: momentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, bufferSize: 2, maxStaleness: 0 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ; token 0' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ; token 0' },
      { event: { type: 'pull', worker: 'c' }, params: [1], because: 'θ; token 1' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [1], because: 'one of two: buffered' },
      {
        event: { type: 'push', worker: 'c', vector: [1] },
        params: [0.5],
        because: 'ahead of its update, which is no fault: θ = 1 − 0.5·(1 + 1)/2',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.5], because: 'θ; token 1' },
      {
        event: { type: 'push', worker: 'b', vector: [4] },
        params: [0.5],
        because: 'token 0 in update 1: late by 1 > ι, counts for nothing',
      },
      { event: { type: 'push', worker: 'a', vector: [2] }, params: [0], because: 'θ = 0.5 − 0.5·(0 + 2)/2' },
    ],
  },
});
