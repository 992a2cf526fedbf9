// Screens: is this push fit to use? They read, and name a reason or nothing.

import { sumSquares } from '../../shared/vec.ts';
import type { Screen } from './method.ts';

/**
 * Largest norm of a push. Honest ones stay under 1e4; a few of 1e38, each finite, would make θ infinite, and already
 * 1e19 overflows a running mean of squares.
 */
export const NORM_MAX = 1e12;

/** No NaN, no infinity, nothing on the way to one, and not all zeros (what an invalid shader returns). One pass. */
export function finite(): Screen {
  return {
    check: (vector) => {
      const sum = sumSquares(vector);
      if (!Number.isFinite(sum)) return 'not-finite';
      if (sum > NORM_MAX * NORM_MAX) return 'too-large';
      return sum === 0 ? 'all-zero' : null;
    },
  };
}

/** Only pushes computed at the current version: for methods that work in rounds. */
export function currentRound(): Screen {
  return { check: (_vector, { lag }) => (lag === 0 ? null : 'late-round') };
}
