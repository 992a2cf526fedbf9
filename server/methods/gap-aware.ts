import { divideByGap } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { GAP_AWARE, MOMENTUM } from '../core/hyperparameters.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/**
 * Gap-Aware: each parameter of a stale gradient is divided by how many average steps that parameter has moved
 * meanwhile.
 */
export default defineMethod({
  name: 'gap-aware',
  title: 'Gap-Aware',
  summary:
    'Divides each gradient, parameter by parameter, by how far θ has really moved since it was sent. The default: good with many workers of differing speeds, as volunteers are.',
  paper: {
    authors: 'Barkai, Hakimi and Schuster',
    year: 2020,
    title: 'Gap-Aware Mitigation of Gradient Staleness',
    url: 'https://arxiv.org/abs/1909.10802',
    where: 'the parameter-wise Gap-Aware algorithm',
  },
  hyperparameters: { momentum: MOMENTUM, ...GAP_AWARE },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: asp(),
    view: lookAhead(h.momentum),
    screen: [finite()],
    correct: divideByGap(dim, { decay: h.gapDecay, epsilon: h.epsilon }),
    gather: each(),
    outer: momentum(dim, h),
  }),
  example: {
    // ε is small beside C: the second decimal of the comments is exact, the tests' tolerance is 1e-6.
    config: { learningRate: 0.5, momentum: 0, gapDecay: 0.5, epsilon: 1e-8 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5],
        because: 'n = 0: no penalty; E = 0.5·1², C = 0.5·√(0.5/(1 − 0.5)) = 0.5',
      },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.25],
        because: '|θ − s| = 0.5, so 1 + 0.5/0.5 = 2: ĝ = 1/2, θ = 0.5 − 0.5·0.5; E = 0.25 + 0.5·0.25 = 0.375',
      },
      { event: { type: 'pull', worker: 'a' }, params: [0.25], because: 'θ, as γ = 0' },
      { event: { type: 'push', worker: 'a', vector: [-1] }, params: [0.75], because: 'no gap: applied whole' },
    ],
  },
});
