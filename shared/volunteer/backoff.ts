// How long to wait before the next try: exponential, with jitter so that many workers do not come back in step.

import type { Rng } from '../rng.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  /** The longest wait, jitter included. */
  readonly capMs: number;
}

/** Half fixed, half random, of min(cap, base · 2^attempt): attempt 0 is the first wait. In milliseconds. */
export function backoffMs(attempt: number, { baseMs, capMs }: BackoffOptions, random: Rng): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 32));
  return full * (0.5 + 0.5 * random.next());
}
