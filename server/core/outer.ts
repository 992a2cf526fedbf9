// Outer optimizers: how does an aggregate move θ? All write θ ← θ − η·v and return v. The ones with a momentum for each
// worker, and the others with a theme of their own, are in outer/.

import { zeros } from '../../shared/precision.ts';
import { axpy, decayAdd } from '../../shared/vec.ts';
import type { Outer } from './method.ts';

/** θ ← θ − ηg */
export function sgd(): Outer {
  return {
    state: {},
    apply: (theta, update, { learningRate }) => {
      axpy(theta, -learningRate, update);
      return update;
    },
    velocity: () => null,
  };
}

/** v ← γv + g; θ ← θ − ηv. One buffer for all workers; with the look-ahead view it is Nesterov's momentum. */
export function momentum(dim: number, by: { momentum: number }): Outer {
  const state = { velocity: zeros(dim) };
  return {
    state,
    apply: (theta, update, { learningRate }) => {
      decayAdd(state.velocity, by.momentum, update);
      axpy(theta, -learningRate, state.velocity);
      return state.velocity;
    },
    velocity: () => state.velocity,
  };
}
