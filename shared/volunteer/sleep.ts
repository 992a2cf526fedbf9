// Whether the machine was asleep: a lid closed, a tab frozen. Then nothing ran, and deadlines that passed meanwhile say
// nothing of the device or the network.

import { SLEPT_MS_MIN } from './limits.ts';

export class Sleep {
  /** When the machine asked to be woken, if nothing happened before. */
  deadlineMs: number | null = null;

  /** After each event. */
  expect(deadlineMs: number | null): void {
    this.deadlineMs = deadlineMs;
  }

  /** At the next event: for how long nothing could run; 0 when it was only a little late. */
  lateMs(nowMs: number): number {
    const lateMs = nowMs - (this.deadlineMs ?? Infinity);
    return lateMs < SLEPT_MS_MIN ? 0 : lateMs;
  }
}
