// Virtual time: what is to happen, and when. Nothing here waits; a simulated hour takes as long as its actions do.
// Actions of one instant run in the order in which they were planned, so a simulation repeats.

import { TimeHeap } from '../../shared/heap.ts';

/** Something that happens at one instant. A promise only means that computing it takes real time. */
export type Action = () => void | Promise<void>;

export class Clock {
  readonly #planned = new TimeHeap<Action>();
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** At that time, or at once if it has passed. */
  at(atMs: number, action: Action): void {
    this.#planned.push(Math.max(atMs, this.#nowMs), action);
  }

  after(ms: number, action: Action): void {
    this.at(this.#nowMs + ms, action);
  }

  /** The next action, begun: null when nothing is planned. Await a promise before the next step. */
  step(): { readonly busy: Promise<void> | null } | null {
    const next = this.#planned.pop();
    if (!next) return null;
    this.#nowMs = next.atMs;
    return { busy: next.item() ?? null };
  }
}

/**
 * One timer, for a machine that says when it wants to be woken. `due` is asked after every event; the timer is planned
 * anew only when the deadline comes nearer, as most events move it away.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #due: () => number | null;
  readonly #ring: () => void;
  #atMs = Infinity;

  constructor(clock: Clock, due: () => number | null, ring: () => void) {
    this.#clock = clock;
    this.#due = due;
    this.#ring = ring;
  }

  set(): void {
    const dueMs = this.#due();
    if (dueMs === null || dueMs >= this.#atMs) return;
    this.#atMs = dueMs;
    this.#clock.at(dueMs, () => {
      if (this.#atMs !== dueMs) return; // an earlier one has taken its place
      this.#atMs = Infinity;
      const nowDueMs = this.#due();
      if (nowDueMs !== null && nowDueMs <= this.#clock.nowMs) this.#ring();
      else this.set();
    });
  }
}
