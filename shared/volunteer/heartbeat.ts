// When to tell the coordinator what this worker is doing: regularly, and when it changes.

import type { WorkerStatus } from '../protocol/messages.ts';
import { STATUS_MS_MIN } from './limits.ts';

type State = WorkerStatus['state'];

export class Heartbeat {
  private last: { readonly state: State; readonly atMs: number } | null = null;

  /** The next is due at once: the coordinator may have forgotten the last. */
  reset(): void {
    this.last = null;
  }

  /** When the state must be told, given that it stays as it is. */
  dueAtMs(state: State, heartbeatMs: number): number {
    if (this.last === null) return -Infinity;
    if (state === this.last.state) return this.last.atMs + Math.max(STATUS_MS_MIN, heartbeatMs);
    const ordinary = (s: State): boolean => s === 'training' || s === 'waiting';
    if (!ordinary(state) || !ordinary(this.last.state)) return -Infinity;
    return this.last.atMs + STATUS_MS_MIN;
  }

  told(state: State, atMs: number): void {
    this.last = { state, atMs };
  }
}
