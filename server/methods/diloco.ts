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

/** DiLoCo: rounds of many AdamW steps, and Nesterov momentum over what they come back with. */
export default defineMethod({
  name: 'diloco',
  title: 'DiLoCo',
  summary:
    'Rounds of many local AdamW steps with an outer Nesterov step: hundreds of times less traffic. Made for language models.',
  paper: {
    authors: 'Douillard, Feng, Rusu, Chhaparia, Donchev, Kuncoro, Ranzato, Szlam and Shen',
    year: 2023,
    title: 'DiLoCo: Distributed Low-Communication Training of Language Models',
    url: 'https://arxiv.org/abs/2311.08105',
    where: 'Algorithm 1; H = 500 there',
  },
  hyperparameters: {
    ...OUTER,
    ...INNER,
    localSteps: { ...INNER.localSteps, default: 50 },
    innerOptimizer: ADAMW,
    ...SYNCHRONIZATION,
    ...ROUND,
    ...ROBUST,
  },
  axes: (h, dim) => ({
    work: localSteps(h, stepsByRule(h)),
    gate: bsp(),
    view: currentParams(),
    screen: [currentRound(), finite()],
    correct: uncorrected(),
    gather: round(dim, { ...h, equally: true }),
    outer: outerNesterov(dim, h),
  }),
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
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [0.5] },
        params: [-0.25],
        because: 'Δ̄ = 0.5, m = 0.5·1 + 0.5 = 1, θ = 0.25 − 0.5·(0.5 + 0.5·1)',
      },
    ],
  },
});
