// Screens: is this push fit to use? They read, and name a reason or nothing.

import { sumSquares } from '../../shared/vec.ts';
import type { Screen } from './method.ts';

/** No NaN, no infinity, and not all zeros (what a GPU with an invalid shader returns). One pass. */
export function finite(): Screen {
  return {
    check: (vector) => {
      const sum = sumSquares(vector);
      if (!Number.isFinite(sum)) return 'not-finite';
      return sum === 0 ? 'all-zero' : null;
    },
  };
}

/** Only pushes computed at the current version: for methods that work in rounds. */
export function currentRound(): Screen {
  return { check: (_vector, { lag }) => (lag === 0 ? null : 'late-round') };
}
