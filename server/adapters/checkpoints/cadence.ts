// When a run is written down again: after so much time or so many versions, whichever is first, and after a failure sooner
// and then ever less often. Pure.

/** Writes whose times are remembered: one that took long may do so again. */
const TIMES_KEPT = 8;
/** Of the interval: a write that takes longer than all before it comes in time, too, if it takes no longer than this. */
const LEAD_PART_MIN = 0.1;
/** After the first failure; twice as long after each further one. */
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;

export interface Moment {
  readonly nowMs: number;
  readonly version: number;
}

export class Cadence {
  readonly #every: { readonly everyMs: number; readonly everyVersions: number };
  /** When the last good one was begun: what came later is lost if it comes to that. */
  #last: Moment;
  /** What the last ones took. */
  readonly #took: { readonly ms: number; readonly versions: number }[] = [];
  #failures = 0;
  #retryAtMs = -Infinity;
  #wanted = false;
  #changed = false;

  /** `last`: the moment that is safe already. */
  constructor(every: { readonly everyMs: number; readonly everyVersions: number }, last: Moment) {
    this.#every = every;
    this.#last = last;
  }

  /** As soon as may be, whatever the interval. */
  want(): void {
    this.#wanted = true;
  }

  /** Something happened; what is as it was is not written down again, however long it has been so. */
  changed(): void {
    this.#changed = true;
  }

  due({ nowMs, version }: Moment): boolean {
    if (nowMs < this.#retryAtMs) return false;
    const { everyMs, everyVersions } = this.#every;
    const slowest = (of: 'ms' | 'versions'): number => Math.max(...this.#took.map((took) => took[of]));
    const overdue = nowMs - this.#last.nowMs >= early(everyMs, slowest('ms')) && this.unsafe(version);
    const behind = version - this.#last.version >= early(everyVersions, slowest('versions'));
    return overdue || behind || this.#wanted || this.#failures > 0;
  }

  /** Whether anything would be lost by a crash. */
  unsafe(version: number): boolean {
    return this.#changed || this.#wanted || this.#failures > 0 || version !== this.#last.version;
  }

  /** One is begun: it has what happened so far, unless it fails. */
  begun(): void {
    this.#wanted = false;
    this.#changed = false;
  }

  /** The one that was begun then is safe now. */
  saved(begun: Moment, now: Moment): void {
    this.#last = begun;
    this.#took.push({ ms: now.nowMs - begun.nowMs, versions: now.version - begun.version });
    if (this.#took.length > TIMES_KEPT) this.#took.shift();
    this.#failures = 0;
    this.#retryAtMs = -Infinity;
  }

  failed(nowMs: number): void {
    this.#retryAtMs = nowMs + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
  }
}

/** Begun earlier by twice what the slowest took, but not before half the interval; that, too, while none was made. */
function early(interval: number, slowest: number): number {
  if (slowest === -Infinity) return interval / 2;
  return Math.max(interval / 2, interval - Math.max(LEAD_PART_MIN * interval, 2 * slowest));
}
