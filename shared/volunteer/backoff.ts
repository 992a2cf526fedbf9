// How long to wait before the next try: exponential, with jitter so that many workers do not come back in step.

import type { Rng } from '../rng.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  /** The longest wait, jitter included. */
  readonly capMs: number;
  /** The share of a wait that is not random; default a half. */
  readonly fixed?: number;
}

/** Part fixed, part random, of min(cap, base · 2^attempt): attempt 0 is the first wait. In milliseconds. */
export function backoffMs(attempt: number, { baseMs, capMs, fixed = 0.5 }: BackoffOptions, random: Rng): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 32));
  return full * (fixed + (1 - fixed) * random.next());
}
