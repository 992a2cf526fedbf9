// Numbers for what is recorded: each larger than the one before, also over restarts, as they begin with the time.

/** So many a millisecond before they run ahead of the clock; microseconds since 1970 stay exact until 2255. */
const PER_MS = 1000;

export class Ids {
  readonly #wallMs: () => number;
  #last = 0;

  /** `wallMs`: milliseconds since 1970. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#wallMs()) * PER_MS);
    return this.#last;
  }

  /** Some number is taken already: by an earlier process whose clock was ahead. */
  atLeast(id: number): void {
    this.#last = Math.max(this.#last, id);
  }
}
