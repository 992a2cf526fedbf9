import { ROBUST } from '../core/combine.ts';
import { uncorrected } from '../core/correct.ts';
import { bsp } from '../core/gate.ts';
import { round } from '../core/gather.ts';
import { OUTER, ROUND } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { slowMomentum } from '../core/outer/local.ts';
import { currentRound, finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { INNER, SYNCHRONIZATION, localSteps, stepsByRule } from '../core/work.ts';

/**
 * SlowMo: a slow momentum over rounds of local steps, measured in inner steps so that it does not fade with the
 * learning rate: that of the round's leases, which go by their own data's progress.
 */
export default defineMethod({
  name: 'slowmo',
  title: 'SlowMo',
  summary: 'Local SGD with a momentum over the rounds: wins back most of what local steps lose, at no extra traffic.',
  paper: {
    authors: 'Wang, Tantia, Ballas and Rabbat',
    year: 2020,
    title: 'SlowMo: Improving Communication-Efficient Distributed SGD with Slow Momentum',
    url: 'https://arxiv.org/abs/1910.00643',
    where: 'Algorithm 1',
  },
  hyperparameters: {
    outerLearningRate: { ...OUTER.outerLearningRate, symbol: 'α', default: 1 },
    outerMomentum: { ...OUTER.outerMomentum, symbol: 'β', default: 0.5 },
    ...INNER,
    localSteps: { ...INNER.localSteps, symbol: 'τ', default: 48 },
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
    gather: round(dim, { ...h, equally: true, rated: true }),
    outer: slowMomentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, outerLearningRate: 1, outerMomentum: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      { event: { type: 'push', worker: 'a', vector: [0.25] }, params: [1], because: 'b is outstanding' },
      {
        event: { type: 'push', worker: 'b', vector: [0.75] },
        params: [0.5],
        because: 'Δ̄ = 0.5, u = Δ̄/η = 1, θ = 1 − αηu = 1 − 0.5·1',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.5], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [0.25] },
        params: [0],
        because: 'Δ̄ = 0.25, u = 0.5·1 + 0.25/0.5 = 1, θ = 0.5 − 0.5·1',
      },
    ],
  },
});
