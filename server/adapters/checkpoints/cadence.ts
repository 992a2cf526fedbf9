// When a run is written down again: after so much time or so many versions, whichever is first, and after a failure sooner
// and then ever less often. Pure.

/** Writes whose times are remembered: one that took long may do so again. */
const TIMES_KEPT = 8;
/** A disk that answered at once so far may take this long the next time. */
const LEAD_MS_MIN = 250;
/** Over a shorter time a rate is chance. */
const RATE_MS_MIN = 100;
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
  /** Milliseconds that the last ones took. */
  readonly #tookMs: number[] = [];
  /** Two moments of late, a lead apart at least. */
  #lately: readonly [Moment, Moment];
  #failures = 0;
  #retryAtMs = -Infinity;
  #wanted = false;
  #changed = false;

  /** `last`: the moment that is safe already. */
  constructor(every: { readonly everyMs: number; readonly everyVersions: number }, last: Moment) {
    this.#every = every;
    this.#last = last;
    this.#lately = [last, last];
  }

  /** As soon as may be, whatever the interval. */
  want(): void {
    this.#wanted = true;
  }

  /** Something happened; what is as it was is not written down again, however long it has been so. */
  changed(): void {
    this.#changed = true;
  }

  due(now: Moment): boolean {
    const { nowMs, version } = now;
    const perMs = this.#versionsPerMs(now);
    if (nowMs < this.#retryAtMs) return false;
    const { everyMs, everyVersions } = this.#every;
    const leadMs = this.#leadMs();
    const overdue = nowMs - this.#last.nowMs >= early(everyMs, leadMs) && this.unsafe(version);
    const behind = version - this.#last.version >= early(everyVersions, leadMs * perMs);
    return overdue || behind || this.#wanted || this.#failures > 0;
  }

  /** The fastest of late: after a lull, how fast it is again. */
  #versionsPerMs(now: Moment): number {
    const [, late] = this.#lately;
    if (now.nowMs - late.nowMs >= LEAD_MS_MIN) this.#lately = [late, now];
    const rate = ({ nowMs, version }: Moment): number =>
      (now.version - version) / Math.max(RATE_MS_MIN, now.nowMs - nowMs);
    return Math.max(...this.#lately.map(rate));
  }

  /** How much earlier than it has to be on the disk one is begun: twice what the slowest took. Not known at first. */
  #leadMs(): number {
    return this.#tookMs.length === 0 ? Infinity : Math.max(LEAD_MS_MIN, 2 * Math.max(...this.#tookMs));
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
  saved(begun: Moment, nowMs: number): void {
    this.#last = begun;
    this.#tookMs.push(nowMs - begun.nowMs);
    if (this.#tookMs.length > TIMES_KEPT) this.#tookMs.shift();
    this.#failures = 0;
    this.#retryAtMs = -Infinity;
  }

  failed(nowMs: number): void {
    this.#retryAtMs = nowMs + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
  }
}

/** Earlier by the lead, but not before half the interval: a slow disk is not written to all the time. */
const early = (interval: number, lead: number): number => Math.max(interval / 2, interval - lead);
