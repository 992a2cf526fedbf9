// The end of a start in good order: no more work goes out, and what is under way may come in, for a while.

import { setTimeout as sleep } from 'node:timers/promises';
import type { CoordinatorEvent } from '../core/events.ts';

/** Often enough that nobody waits for it. */
const LOOK_EVERY_MS = 50;

export interface Drained {
  readonly dispatch: (event: CoordinatorEvent) => void;
  /** Leases that are out, of workers that are here. */
  readonly awaited: () => number;
}

/** Resolves when no lease is out any more, or after `graceMs`. Returns how many are. */
export async function drain({ dispatch, awaited }: Drained, graceMs: number): Promise<number> {
  dispatch({ type: 'drain' });
  const untilMs = performance.now() + graceMs;
  while (awaited() > 0 && performance.now() < untilMs) await sleep(LOOK_EVERY_MS);
  return awaited();
}

/** Whether it was done in time; it goes on in any case. */
export function within(ms: number, work: Promise<void>): Promise<boolean> {
  return Promise.race([work.then(() => true), sleep(ms, false, { ref: false })]);
}
