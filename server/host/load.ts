// Whether the coordinator has more to do than it can, decided by how late its event loop is; and what it asks of workers then.
// Pure: it is told a figure a second. delay.ts takes the figures; the loop and the sockets do what is decided.

import type { Problem } from '../../shared/protocol/snapshots.ts';

/** Back to normal below this part of what is too late; between the two nothing changes. */
export const CALM_PART = 0.4;
/** Seconds in a row: one long collection of garbage is no overload. */
export const OVER_SECONDS = 3;
export const CALM_SECONDS = 3;
/** Workers wait twice as long at each level: a second at the first, half a minute at the last. */
const WAIT_MS = 1000;
const WAIT_MS_MAX = 30_000;
export const LEVEL_MAX = 6;
/** From this part of what is too late on, pages are slowed, more with each such second: before workers are asked to wait. */
export const PAGES_PART = 0.5;
/** They are shown half as often at each level. */
const PAGES_LEVEL_MAX = 4;

export class Load {
  /** 0 when all is well. */
  level = 0;
  /** 99th percentile of how late the loop was in the last minute. */
  p99Ms = 0;
  #pages = 0;
  #over = 0;
  #calm = 0;
  #seconds = 0;
  readonly #busyMs: number;

  /** An event loop that is later than `busyMs`, mean of a second, answers late, and queues grow behind it. */
  constructor(busyMs: number) {
    this.#busyMs = busyMs;
  }

  /** One more second, in which the loop was this late on average. True when it began or ended being too much. */
  second(delayMs: number, p99Ms: number): boolean {
    const before = this.level;
    this.p99Ms = p99Ms;
    this.#over = delayMs >= this.#busyMs ? this.#over + 1 : 0;
    this.#calm = delayMs < CALM_PART * this.#busyMs ? this.#calm + 1 : 0;
    if (delayMs >= PAGES_PART * this.#busyMs) this.#pages = Math.min(PAGES_LEVEL_MAX, this.#pages + 1);
    if (this.#over >= OVER_SECONDS) this.#move(1);
    if (this.#calm >= CALM_SECONDS) this.#move(-1);
    this.#seconds = this.level === 0 ? 0 : this.#seconds + 1;
    return (before === 0) !== (this.level === 0);
  }

  get shedding(): boolean {
    return this.level > 0;
  }

  /** What an operator is told; null when all is well. */
  problem(): Problem | null {
    if (!this.shedding) return null;
    const text = `the coordinator has more to do than it can (its event loop is ${this.p99Ms} ms late): workers are asked to wait; give it a faster core, a smaller model, or fewer workers`;
    return { kind: 'overload', text, forMs: 1000 * this.#seconds };
  }

  /** What a worker that asks for work is told to wait; `chance` in [0, 1) spreads those who ask at once. */
  retryAfterMs(chance: number): number {
    return Math.round(Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** (this.level - 1)) * (0.75 + 0.5 * chance));
  }

  /** Every so many turns a page is shown something, and a row that it reads counts for so many. */
  get pace(): number {
    return 2 ** Math.min(PAGES_LEVEL_MAX, Math.max(this.#pages, this.level));
  }

  #move(by: 1 | -1): void {
    this.level = Math.min(LEVEL_MAX, Math.max(0, this.level + by));
    if (by < 0) this.#pages = Math.max(0, this.#pages - 1);
    this.#over = 0;
    this.#calm = 0;
  }
}
