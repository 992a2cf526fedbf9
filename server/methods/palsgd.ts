import { ROBUST } from '../core/combine.ts';
import { uncorrected } from '../core/correct.ts';
import { bsp } from '../core/gate.ts';
import { round } from '../core/gather.ts';
import { OUTER, ROUND } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { outerNesterov } from '../core/outer/local.ts';
import { currentRound, finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { ADAMW, INNER, SYNCHRONIZATION, localSteps, stepsByRule } from '../core/work.ts';

/**
 * PALSGD: DiLoCo in which some of the steps, at random, pull a worker back towards the parameters that it set out
 * from.
 */
export default defineMethod({
  name: 'palsgd',
  title: 'Pseudo-asynchronous Local SGD',
  summary:
    'DiLoCo with random pulls towards the last common parameters in place of some gradients: longer rounds at the same quality.',
  paper: {
    authors: 'Naganuma, Zhang, Yue, Mitliagkas, Witte, Hewett and Lee',
    year: 2025,
    title: 'Pseudo-Asynchronous Local SGD: Robust and Efficient Data-Parallel Training',
    url: 'https://arxiv.org/abs/2504.18454',
    where: 'the PALSGD algorithm with an outer Nesterov step',
  },
  hyperparameters: {
    mixProbability: {
      kind: 'number',
      symbol: 'p',
      description: 'Part of the steps that are pulls without a gradient; 0 gives DiLoCo.',
      default: 0.2,
      min: 0,
      max: 0.9,
    },
    mixRate: {
      kind: 'number',
      symbol: 'η_mix',
      description: 'Strength of a pull, times η/p.',
      default: 1,
      min: 0,
    },
    clipNorm: {
      kind: 'number',
      symbol: '',
      description: 'Largest norm of an inner gradient.',
      default: 1,
      min: 1e-6,
    },
    outerLearningRate: { ...OUTER.outerLearningRate, default: 0.1 },
    outerMomentum: OUTER.outerMomentum,
    ...INNER,
    localSteps: { ...INNER.localSteps, default: 32 },
    innerOptimizer: ADAMW,
    ...SYNCHRONIZATION,
    ...ROUND,
    ...ROBUST,
  },
  axes: (h, dim) => {
    const steps = stepsByRule(h);
    // Of H steps this many need a batch, on average; the worker draws the others between them.
    const work = localSteps(h, (at) => Math.max(1, Math.round(steps(at) * (1 - h.mixProbability))));
    const mixing = h.mixProbability > 0 ? { mixing: { probability: h.mixProbability, rate: h.mixRate } } : {};
    return {
      work: { ...work, inner: { ...work.inner, clipNorm: h.clipNorm, ...mixing } },
      gate: bsp(),
      view: currentParams(),
      screen: [currentRound(), finite()],
      correct: uncorrected(),
      gather: round(dim, { ...h, equally: true }),
      outer: outerNesterov(dim, h),
    };
  },
  example: {
    config: { learningRate: 0.1, outerLearningRate: 0.5, outerMomentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [0.5] }, params: [1], because: 'b is outstanding' },
      {
        event: { type: 'push', worker: 'b', vector: [1.5] },
        params: [0.25],
        because: 'Δ̄ = 1, m = 1, θ = 1 − 0.5·(1 + 0.5·1)',
      },
      { event: { type: 'pull', worker: 'b' }, params: [0.25], because: 'θ' },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [-0.625],
        because: 'Δ̄ = 1, m = 0.5·1 + 1 = 1.5, θ = 0.25 − 0.5·(1 + 0.5·1.5)',
      },
    ],
  },
});
