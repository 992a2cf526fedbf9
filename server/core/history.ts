// The curves of a run, in bounded memory: the latest points all of them, older ones evenly thinned, measurements apart
// from the rest as there are few. Points are numbered, so that a reader asks for what came after its last.

import type { MetricPoint, MetricsPage } from '../../shared/protocol/snapshots.ts';

export const POINT_EVERY_MS = 1000;
/** Twenty minutes in full. With what is older, 3,600 points: more than a screen has columns, 300 kB. */
export const RECENT_MAX = 1200;
const OLDER_MAX = 1600;
const MEASURED_MAX = 800;
export const POINTS_MAX = RECENT_MAX + OLDER_MAX + MEASURED_MAX;

interface Numbered {
  readonly number: number;
  readonly point: MetricPoint;
}

/** Every so many of what is added: of twice as many every second one, and so on, so that the whole span stays covered. */
class Thinned {
  kept: Numbered[] = [];
  readonly #max: number;
  #stride = 1;
  #added = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(entry: Numbered): void {
    if (this.#added++ % this.#stride !== 0) return;
    this.kept.push(entry);
    if (this.kept.length <= this.#max) return;
    this.#stride *= 2;
    this.kept = this.kept.filter((_, index) => index % 2 === 0);
  }
}

export class History {
  readonly #recent: Numbered[] = [];
  readonly #older = new Thinned(OLDER_MAX);
  readonly #measured = new Thinned(MEASURED_MAX);
  #next = 0;

  add(point: MetricPoint): void {
    this.#recent.push({ number: this.#next++, point });
    if (this.#recent.length <= RECENT_MAX) return;
    const oldest = this.#recent.shift()!;
    (oldest.point.validationLoss === null ? this.#older : this.#measured).add(oldest);
  }

  /** The points numbered `since` and later, in order. */
  page(since: number): MetricsPage {
    const points = [...this.#older.kept, ...this.#measured.kept, ...this.#recent]
      .filter(({ number }) => number >= since)
      .sort((a, b) => a.number - b.number)
      .map(({ point }) => point);
    return { points, next: this.#next };
  }
}
