// Pulls that cannot be served yet. They are held open for a while, so that a worker that waits costs no polling; one a
// worker at most, so that nobody can fill the coordinator's memory with questions.

import type { WorkerId } from '../../shared/ids.ts';
import type { WaitReason } from '../../shared/protocol/lease.ts';
import type { RequestId } from './events.ts';

/** Under every usual proxy's and browser's own limit. */
export const PARK_MS = 10_000;

export interface Parked {
  readonly worker: WorkerId;
  readonly request: RequestId;
  readonly untilMs: number;
  readonly reason: WaitReason;
}

export class ParkedPulls {
  readonly #byWorker = new Map<WorkerId, Parked>();

  get size(): number {
    return this.#byWorker.size;
  }

  /** Parks a pull, and gives back the one that it replaces. */
  park(pull: Parked): Parked | undefined {
    const previous = this.#byWorker.get(pull.worker);
    this.#byWorker.delete(pull.worker); // to the end of the line
    this.#byWorker.set(pull.worker, pull);
    return previous;
  }

  remove(pull: Parked): void {
    this.#byWorker.delete(pull.worker);
  }

  /** The worker's parked pull, taken out. */
  takeOf(worker: WorkerId): Parked | undefined {
    const pull = this.#byWorker.get(worker);
    this.#byWorker.delete(worker);
    return pull;
  }

  cancel(request: RequestId): void {
    for (const pull of this.#byWorker.values()) if (pull.request === request) this.#byWorker.delete(pull.worker);
  }

  /** In the order they came; safe to remove from while walking. */
  all(): readonly Parked[] {
    return [...this.#byWorker.values()];
  }

  nextDeadlineMs(): number | null {
    let next: number | null = null;
    for (const { untilMs } of this.#byWorker.values()) next = next === null ? untilMs : Math.min(next, untilMs);
    return next;
  }
}
