// Screens: is this push fit to use? They read, and name a reason or nothing.

import { NORM_MAX, NORM_MIN } from '../../shared/protocol/norms.ts';
import { sumSquares, type Vec } from '../../shared/vec.ts';
import type { Screen } from './method.ts';

/**
 * No NaN, no infinity, nothing on the way to one, no denormals, and not all zeros (what an invalid shader returns), but where
 * the learning rate of its lease is 0: local steps lead nowhere then.
 */
export function finite(): Screen {
  return {
    check: (_vector, { norm, innerLearningRate }) => {
      if (!Number.isFinite(norm)) return 'not-finite';
      if (norm > NORM_MAX) return 'too-large';
      if (norm === 0) return innerLearningRate === 0 ? null : 'all-zero';
      return norm < NORM_MIN ? 'too-small' : null;
    },
  };
}

/** Of what a correction has made of a push that was let in. */
export const tooLarge = (g: Vec): boolean => !(sumSquares(g) <= NORM_MAX ** 2);

/** Only pushes computed at the current version: for methods that work in rounds. */
export function currentRound(): Screen {
  return { check: (_vector, { lag }) => (lag === 0 ? null : 'late-round') };
}
