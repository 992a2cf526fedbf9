// When a run is written down again: after so much time or so many versions, whichever is first, and after a failure sooner
// and then ever less often. Pure.

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
  /** Twice what the last one took, as the next may take longer: it is begun so much earlier, but not before half the interval. Not known at first. */
  #lead = { ms: Infinity, versions: Infinity };
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
    const overdue = nowMs - this.#last.nowMs >= early(everyMs, this.#lead.ms) && this.unsafe(version);
    const behind = version - this.#last.version >= early(everyVersions, this.#lead.versions);
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
    this.#lead = { ms: 2 * (now.nowMs - begun.nowMs), versions: 2 * (now.version - begun.version) };
    this.#failures = 0;
    this.#retryAtMs = -Infinity;
  }

  failed(nowMs: number): void {
    this.#retryAtMs = nowMs + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
  }
}

const early = (interval: number, lead: number): number => Math.max(interval / 2, interval - lead);
