// Between which norms a push is taken: what is outside cannot have been computed from parameters worth training.

/**
 * Largest norm of a push. Honest ones stay under 1e4; a few of 1e38, each finite, would make θ infinite, and already
 * 1e19 overflows a running mean of squares.
 */
export const NORM_MAX = 1e12;
/** 2⁻¹²⁶: all elements of a shorter one are denormal, which no gradient that was computed is. */
export const NORM_MIN = 2 ** -126;
