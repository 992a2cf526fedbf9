import { ROBUST } from '../core/combine.ts';
import { decayByLag } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { buffer } from '../core/gather.ts';
import { OUTER } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { heavyBall } from '../core/outer/local.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { INNER, localSteps } from '../core/work.ts';

/**
 * FedBuff: displacements are buffered, each worth less the later it is, and θ moves when K have come, whoever sent
 * them.
 */
export default defineMethod({
  name: 'fedbuff',
  title: 'FedBuff',
  summary:
    'Local steps without waiting: θ moves by the mean of every K displacements, however late they are. Fine for phones and tabs.',
  paper: {
    authors: 'Nguyen, Malik, Zhan, Yousefpour, Rabbat, Malek and Huba',
    year: 2022,
    title: 'Federated Learning with Buffered Asynchronous Aggregation',
    url: 'https://arxiv.org/abs/2106.06639',
    where: 'Algorithm 1, with the mean over the buffer and heavy-ball momentum',
  },
  hyperparameters: {
    ...OUTER,
    bufferSize: {
      kind: 'number',
      symbol: 'K',
      description: 'Pushes of one update.',
      default: 10,
      min: 1,
      max: 10_000,
      integer: true,
    },
    ...INNER,
    localSteps: { ...INNER.localSteps, default: 10 },
    ...ROBUST,
  },
  axes: (h, dim) => ({
    work: localSteps(h, () => h.localSteps),
    gate: asp(),
    view: currentParams(),
    screen: [finite()],
    correct: decayByLag({ staleness: 'polynomial', exponent: 0.5, slope: 0, threshold: 0 }),
    gather: buffer(dim, h),
    outer: heavyBall(dim, h),
  }),
  example: {
    config: { learningRate: 0.1, bufferSize: 2, outerLearningRate: 0.5, outerMomentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'c' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [1] }, params: [1], because: 'one of two: buffered' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.5],
        because: 'Δ̄ = (1 + 1)/2, u = 1, θ = 1 − 0.5·1',
      },
      { event: { type: 'push', worker: 'c', vector: [2] }, params: [0.5], because: 'τ = 1: 2/√2, buffered' },
      { event: { type: 'pull', worker: 'a' }, params: [0.5], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5 - 0.5 * (0.5 + (Math.SQRT2 + 1) / 2)],
        because: 'Δ̄ = (√2 + 1)/2, u = 0.5·1 + Δ̄, θ = 0.5 − 0.5·u',
      },
    ],
  },
});
