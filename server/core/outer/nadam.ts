// NAdam as an outer optimizer: Nesterov's momentum inside Adam. Writes θ ← θ − η·u and returns u.

import { zeros } from '../../../shared/precision.ts';
import { adaptiveStep, axpy, decayMean, decaySquare, scale } from '../../../shared/vec.ts';
import type { Outer } from '../method.ts';

export interface NadamOptions {
  readonly beta1: number;
  readonly beta2: number;
  /** ψ: how fast the momentum grows to β₁. */
  readonly momentumDecay: number;
  readonly epsilon: number;
}

/**
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; μₜ = β₁(1 − ½·0.96^(tψ));
 * u = [μₜ₊₁·m/(1 − Πᵢ≤ₜ₊₁ μᵢ) + (1−μₜ)·g/(1 − Πᵢ≤ₜ μᵢ)] / (√(v/(1−β₂ᵗ)) + ε); θ ← θ(1 − η·wd) − ηu.
 */
export function nadam(dim: number, by: NadamOptions): Outer {
  const state = { updates: 0, product: 1, mean: zeros(dim), meanSquare: zeros(dim) };
  const momentumAt = (t: number): number => by.beta1 * (1 - 0.5 * 0.96 ** (t * by.momentumDecay));
  return {
    state,
    decays: true,
    apply: (theta, update, { learningRate, weightDecay }) => {
      state.updates += 1;
      const t = state.updates;
      const now = momentumAt(t);
      const next = momentumAt(t + 1);
      state.product *= now;
      decayMean(state.mean, by.beta1, update);
      decaySquare(state.meanSquare, by.beta2, update);
      adaptiveStep(update, state, {
        ofMean: next / (1 - state.product * next),
        ofGradient: (1 - now) / (1 - state.product),
        correction: 1 / (1 - by.beta2 ** t),
        epsilon: by.epsilon,
      });
      if (weightDecay !== 0) scale(theta, 1 - learningRate * weightDecay);
      axpy(theta, -learningRate, update);
      return update;
    },
    velocity: () => null,
  };
}
