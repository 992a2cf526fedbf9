// Plain optimizers that the papers measure their methods against. They are nobody's method, so they have no file in
// server/methods; the simulator knows them by name all the same.

import { zeros } from '../../../shared/precision.ts';
import { adaptiveStep, axpy, decayMean, decaySquare, scale } from '../../../shared/vec.ts';
import type { Hyperparameters } from '../../core/hyperparameters.ts';
import { defineMethod, type Method, type Outer } from '../../core/method.ts';
import { currentParams } from '../../core/view.ts';

/** `methods` must have `nag-asgd` and `nadam-async`, of which these are made. */
export function baselines(methods: ReadonlyMap<string, Method>): Method[] {
  const nag = methods.get('nag-asgd');
  const nadam = methods.get('nadam-async');
  if (!nag || !nadam) throw new Error('the baselines are made of nag-asgd and nadam-async, which are not there');
  const heavyBall: Method = {
    ...nag,
    name: 'heavy-ball',
    title: 'Heavy ball',
    summary: 'The momentum of NAG-ASGD without its look-ahead.',
    axes: (h, dim) => ({ ...nag.axes(h, dim), view: currentParams() }),
  };
  return [heavyBall, adam(nadam)];
}

const BETAS = {
  beta1: { kind: 'number', symbol: 'β₁', description: 'Momentum.', default: 0.9, min: 0, below: 1 },
  beta2: { kind: 'number', symbol: 'β₂', description: 'Decay of the mean square.', default: 0.999, min: 0, below: 1 },
} as const satisfies Hyperparameters;

const EPSILON = 1e-8;

function adam(nadam: Method): Method {
  const method = defineMethod({
    ...nadam,
    name: 'adam',
    title: 'Adam',
    summary: 'NAdam without its look-ahead, at its usual momentum.',
    hyperparameters: BETAS,
    axes: (h, dim) => ({ ...nadam.axes({ ...h, momentumDecay: 0, epsilon: EPSILON }, dim), outer: adamOuter(dim, h) }),
  });
  return method;
}

/** m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ(1 − η·wd) − η·[m/(1−β₁ᵗ)] / (√(v/(1−β₂ᵗ)) + ε). */
function adamOuter(dim: number, by: { beta1: number; beta2: number }): Outer {
  const state = { updates: 0, mean: zeros(dim), meanSquare: zeros(dim) };
  return {
    state,
    decays: true,
    apply: (theta, update, { learningRate, weightDecay }) => {
      state.updates += 1;
      decayMean(state.mean, by.beta1, update);
      decaySquare(state.meanSquare, by.beta2, update);
      adaptiveStep(update, state, {
        ofMean: 1 / (1 - by.beta1 ** state.updates),
        ofGradient: 0,
        correction: 1 / (1 - by.beta2 ** state.updates),
        epsilon: EPSILON,
      });
      if (weightDecay !== 0) scale(theta, 1 - learningRate * weightDecay);
      axpy(theta, -learningRate, update);
      return update;
    },
    velocity: () => null,
  };
}
