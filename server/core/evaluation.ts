// When θ is measured on the held-out split, and what came of it. One measurement at a time; when one takes longer than
// the interval, versions are skipped, never queued. The test set is read once, after the run's end.

import type { Split } from './events.ts';

/** Failures in a row after which a run goes on unmeasured: the cause is not the moment's. */
const FAILURES_MAX = 3;

export interface Figures {
  readonly loss: number;
  readonly accuracy: number;
}

export class Evaluation {
  readonly #everyVersions: number;
  #running: Split | null = null;
  #failures = 0;
  /** The last version whose measurement was begun, and the last whose measurement was made. */
  #begunVersion = -1;
  #measuredVersion = -1;
  validation: Figures | null = null;
  test: Figures | null = null;

  constructor(everyVersions: number) {
    this.#everyVersions = everyVersions;
  }

  /** The split to measure now, if any; the caller then starts it. */
  next(version: number, ended: boolean): Split | null {
    if (this.#running || this.#failures >= FAILURES_MAX) return null;
    const due = ended
      ? this.#measuredVersion !== version
      : version - Math.max(0, this.#begunVersion) >= this.#everyVersions;
    if (due) return this.#begin('validation', version);
    return ended && this.test === null ? this.#begin('test', version) : null;
  }

  done(split: Split, figures: Figures): void {
    this.#running = null;
    this.#failures = 0;
    if (split === 'validation') this.#measuredVersion = this.#begunVersion;
    this[split] = figures;
  }

  /** The measurement could not be made. It is tried again when it is due, but not for ever. */
  failed(): void {
    this.#running = null;
    this.#failures += 1;
  }

  #begin(split: Split, version: number): Split {
    this.#running = split;
    if (split === 'validation') this.#begunVersion = version;
    return split;
  }
}
