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
 * Slow momentum: u ← βu + Δ/η; θ ← θ − αηu, with η the inner learning rate, so that u does not shrink when η does. Where
 * the schedule has brought η to 0, Δ is 0 too and nothing moves.
 */
export function slowMomentum(dim: number, by: { outerLearningRate: number; outerMomentum: number }): Outer {
  const state = { slowVelocity: zeros(dim) };
  return {
    state,
    apply: (theta, update, { learningRate }) => {
      if (learningRate === 0) {
        scale(update, 0);
        return update;
      }
      scale(update, 1 / learningRate);
      decayAdd(state.slowVelocity, by.outerMomentum, update);
      axpy(theta, -by.outerLearningRate * learningRate, state.slowVelocity);
      return state.slowVelocity;
    },
    velocity: () => state.slowVelocity,
  };
}

export interface DelayedNesterovOptions {
  readonly outerLearningRate: number;
  readonly outerMomentum: number;
  /** N: the momentum moves once in so many pushes. */
  readonly bufferSize: number;
  /** c, within 0 … 1/N: the part of the momentum that every push applies. */
  readonly momentumActivation: number;
}

/**
 * Delayed Nesterov, a pseudo-gradient g at a time. S ← S + g; every N-th time m ← βm + S/N, θ ← θ − ε[(1 − cN + c)βm + g/N],
 * S ← 0; else θ ← θ − ε[cβm + g/N]. Over N pushes with c = 0 this is one Nesterov step on their mean.
 */
export function delayedNesterov(dim: number, by: DelayedNesterovOptions): Outer {
  const { outerLearningRate, outerMomentum, bufferSize: n, momentumActivation: c } = by;
  const state = { pushes: 0, sum: zeros(dim), outerVelocity: zeros(dim) };
  const step = zeros(dim);
  return {
    state,
    apply: (theta, update) => {
      axpy(state.sum, 1, update);
      state.pushes += 1;
      const full = state.pushes === n;
      if (full) {
        scale(state.outerVelocity, outerMomentum);
        axpy(state.outerVelocity, 1 / n, state.sum);
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
