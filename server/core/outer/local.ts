// Outer optimizers for pseudo-gradients Δ, which are displacements of θ: their rates are their own, and the inner learning
// rate η matters only where it is named. All return what they moved θ against.

import { zeros } from '../../../shared/precision.ts';
import { axpy, copy, decayAdd, scale } from '../../../shared/vec.ts';
import type { Outer } from '../method.ts';

/** θ ← θ − εΔ */
export function displacement(by: { outerLearningRate: number }): Outer {
  return {
    state: {},
    apply: (theta, update) => {
      axpy(theta, -by.outerLearningRate, update);
      return update;
    },
    velocity: () => null,
  };
}

/** The part of the way that all workers together draw the centre at a time. Zhang et al. (2015), section 4: β. */
const ELASTICITY_OF_ALL = 0.9;

/** α: fixed, or with 0 for β divided by the workers that there are. */
export function elasticityOf(elasticity: number, workers = 1): number {
  return elasticity === 0 ? ELASTICITY_OF_ALL / Math.max(1, workers) : elasticity;
}

/** θ ← θ − αΔ, with Δ the displacement from θ as it is now. */
export function elasticCentre(by: { elasticity: number }): Outer {
  return {
    state: {},
    apply: (theta, update, { crowd }) => {
      axpy(theta, -elasticityOf(by.elasticity, crowd.workers), update);
      return update;
    },
    velocity: () => null,
  };
}

/** Heavy ball: u ← μu + Δ; θ ← θ − εu. */
export function heavyBall(dim: number, by: { outerLearningRate: number; outerMomentum: number }): Outer {
  const state = { outerVelocity: zeros(dim) };
  return {
    state,
    apply: (theta, update) => {
      decayAdd(state.outerVelocity, by.outerMomentum, update);
      axpy(theta, -by.outerLearningRate, state.outerVelocity);
      return state.outerVelocity;
    },
    velocity: () => state.outerVelocity,
  };
}

/** Nesterov: m ← μm + Δ; θ ← θ − ε(Δ + μm). */
export function outerNesterov(dim: number, by: { outerLearningRate: number; outerMomentum: number }): Outer {
  const state = { outerVelocity: zeros(dim) };
  return {
    state,
    apply: (theta, update) => {
      decayAdd(state.outerVelocity, by.outerMomentum, update);
      axpy(update, by.outerMomentum, state.outerVelocity);
      axpy(theta, -by.outerLearningRate, update);
      return update;
    },
    velocity: () => state.outerVelocity,
  };
}

/**
 * Slow momentum: u ← βu + Δ/γ; θ ← θ − αγu, with γ the inner learning rate of the leases that Δ is of, so that u does not
 * shrink when γ does. Where the schedule has brought γ to 0, Δ is 0 too and nothing moves.
 */
export function slowMomentum(dim: number, by: { outerLearningRate: number; outerMomentum: number }): Outer {
  const state = { slowVelocity: zeros(dim) };
  return {
    state,
    apply: (theta, update, { innerLearningRate }) => {
      if (innerLearningRate === 0) {
        scale(update, 0);
        return update;
      }
      scale(update, 1 / innerLearningRate);
      decayAdd(state.slowVelocity, by.outerMomentum, update);
      axpy(theta, -by.outerLearningRate * innerLearningRate, state.slowVelocity);
      return state.slowVelocity;
    },
    velocity: () => state.slowVelocity,
  };
}

export interface DelayedNesterovOptions {
  readonly outerLearningRate: number;
  readonly outerMomentum: number;
  /** N: the momentum moves once in so many pushes; 0: in as many as there are workers when it is asked. */
  readonly bufferSize: number;
  /** c, within 0 … 1/N, and never more: the part of the momentum that every push applies. */
  readonly momentumActivation: number;
}

/**
 * Delayed Nesterov, a pseudo-gradient g at a time. S ← S + g; every N-th time m ← βm + S/N, θ ← θ − ε[(1 − cN + c)βm + g/N],
 * S ← 0; else θ ← θ − ε[cβm + g/N]. Over N pushes with c = 0 this is one Nesterov step on their mean. Where N has changed in
 * between, m takes the mean of the pushes that there were.
 */
export function delayedNesterov(dim: number, by: DelayedNesterovOptions): Outer {
  const { outerLearningRate, outerMomentum } = by;
  const state = { pushes: 0, sum: zeros(dim), outerVelocity: zeros(dim) };
  const step = zeros(dim);
  return {
    state,
    apply: (theta, update, { crowd }) => {
      const n = by.bufferSize === 0 ? Math.max(1, crowd.workers ?? 1) : by.bufferSize;
      const c = Math.min(by.momentumActivation, 1 / n);
      axpy(state.sum, 1, update);
      state.pushes += 1;
      const full = state.pushes >= n;
      if (full) {
        scale(state.outerVelocity, outerMomentum);
        axpy(state.outerVelocity, 1 / state.pushes, state.sum);
        scale(state.sum, 0);
        state.pushes = 0;
      }
      copy(step, state.outerVelocity);
      scale(step, (full ? 1 - c * n + c : c) * outerMomentum);
      axpy(step, 1 / n, update);
      axpy(theta, -outerLearningRate, step);
      return step;
    },
    velocity: () => state.outerVelocity,
  };
}
