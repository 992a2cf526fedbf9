import { clipNorm, uncorrected } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { defineMethod } from '../core/method.ts';
import { nadam } from '../core/outer/nadam.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';

/** NAdam at the coordinator with a momentum near 1, whose discounted look-ahead lines up with the delay. */
export default defineMethod({
  name: 'nadam-async',
  title: 'NAdam for asynchrony',
  summary:
    'An adaptive optimizer that stands staleness: Nesterov momentum of 0.99 inside Adam. Takes a smaller learning rate than SGD.',
  paper: {
    authors: 'Ajanthan, Ramasinghe, Zuo, Avraham and Long',
    year: 2025,
    title: 'Nesterov Method for Asynchronous Pipeline Parallel Optimization',
    url: 'https://arxiv.org/abs/2505.01099',
    where: 'the practical form: NAdam with decoupled weight decay and β₁ = 0.99, at a parameter server',
  },
  hyperparameters: {
    beta1: { kind: 'number', symbol: 'β₁', description: 'Momentum.', default: 0.99, min: 0, below: 1 },
    beta2: {
      kind: 'number',
      symbol: 'β₂',
      description: 'Decay of the running mean of squared gradients.',
      default: 0.999,
      min: 0,
      below: 1,
    },
    momentumDecay: {
      kind: 'number',
      symbol: 'ψ',
      description: 'How fast the momentum grows from half of β₁ to β₁.',
      default: 0.004,
      min: 0,
    },
    epsilon: {
      kind: 'number',
      symbol: 'ε',
      description: 'Added to the root mean square.',
      default: 1e-8,
      min: 1e-12,
    },
    clipNorm: {
      kind: 'number',
      symbol: '',
      description: 'Largest norm of a gradient, a longer one is scaled down to it; 0 for no limit. The paper has 10.',
      default: 0,
      min: 0,
    },
  },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: currentParams(),
    screen: [finite()],
    correct: h.clipNorm > 0 ? clipNorm(h.clipNorm) : uncorrected(),
    gather: each(),
    outer: nadam(dim, h),
  }),
  example: {
    config: { learningRate: 0.5, beta1: 0.5, beta2: 0.5, momentumDecay: 0 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [1 - 0.5 * (0.125 / 0.9375 + 0.75 / 0.75)],
        because: 'μ = 0.25 always; m = 0.5, v/(1 − 0.5) = 1; u = μm/(1 − μ²) + (1 − μ)g/(1 − μ)',
      },
      { event: { type: 'pull', worker: 'a' }, params: [1 - 0.5 * (0.125 / 0.9375 + 0.75 / 0.75)], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [1 - 0.5 * (0.125 / 0.9375 + 1) - 0.5 * (0.1875 / 0.984375 + 0.75 / 0.9375)],
        because: 'm = 0.75, v/(1 − 0.25) = 1; u = μm/(1 − μ³) + (1 − μ)g/(1 − μ²)',
      },
    ],
  },
});
