// Screens: is this push fit to use? They read, and name a reason or nothing.

import type { Screen } from './method.ts';

/**
 * Largest norm of a push. Honest ones stay under 1e4; a few of 1e38, each finite, would make θ infinite, and already
 * 1e19 overflows a running mean of squares.
 */
export const NORM_MAX = 1e12;
/** 2⁻¹²⁶: all elements of a shorter one are denormal, which no gradient that was computed is. */
export const NORM_MIN = 2 ** -126;

/** No NaN, no infinity, nothing on the way to one, no denormals, and not all zeros (what an invalid shader returns). */
export function finite(): Screen {
  return {
    check: (_vector, { norm }) => {
      if (!Number.isFinite(norm)) return 'not-finite';
      if (norm > NORM_MAX) return 'too-large';
      if (norm === 0) return 'all-zero';
      return norm < NORM_MIN ? 'too-small' : null;
    },
  };
}

/** Only pushes computed at the current version: for methods that work in rounds. */
export function currentRound(): Screen {
  return { check: (_vector, { lag }) => (lag === 0 ? null : 'late-round') };
}
