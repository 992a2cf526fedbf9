import { displacementFromNow } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { defineMethod } from '../core/method.ts';
import { displacement } from '../core/outer/local.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { INNER, localSteps } from '../core/work.ts';

/** FedAsync: whatever a worker comes back with is mixed into θ at once, with less weight the later it is. */
export default defineMethod({
  name: 'fedasync',
  title: 'FedAsync',
  summary: 'Local steps, and every result is mixed into the parameters as it comes, the later the less.',
  paper: {
    authors: 'Xie, Koyejo and Gupta',
    year: 2019,
    title: 'Asynchronous Federated Optimization',
    url: 'https://arxiv.org/abs/1903.03934',
    where: 'Algorithm 1 and its staleness functions',
  },
  hyperparameters: {
    mixing: {
      kind: 'number',
      symbol: 'α',
      description: 'Weight of a fresh result; θ keeps the rest.',
      default: 0.6,
      min: 0,
      max: 1,
    },
    staleness: {
      kind: 'choice',
      description: 'How the weight falls with the lag: not at all, (1 + τ)^−a, or 1/(a(τ − b) + 1) beyond b.',
      default: 'polynomial',
      choices: ['constant', 'polynomial', 'hinge'],
    },
    exponent: { kind: 'number', symbol: 'a', description: 'Of the polynomial.', default: 0.5, min: 0 },
    slope: { kind: 'number', symbol: 'a', description: 'Of the hinge.', default: 10, min: 0 },
    threshold: { kind: 'number', symbol: 'b', description: 'Lag up to which the hinge is 1.', default: 4, min: 0 },
    ...INNER,
    localSteps: { ...INNER.localSteps, default: 10 },
  },
  axes: (h) => ({
    work: localSteps(h, () => h.localSteps),
    gate: asp(),
    view: currentParams(),
    screen: [finite()],
    correct: displacementFromNow(h),
    gather: each(),
    outer: displacement({ outerLearningRate: h.mixing }),
  }),
  example: {
    config: { learningRate: 0.1, mixing: 0.5, staleness: 'polynomial', exponent: 1 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5],
        because: 'τ = 0: x = 1 − 1 = 0, θ = 0.5·1 + 0.5·0',
      },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.375],
        because: 'τ = 1: x = 0 and α/(1 + 1) = 0.25: θ = 0.75·0.5 + 0.25·0',
      },
    ],
  },
});
