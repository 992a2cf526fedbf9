// The curves of a run, in bounded memory: the latest points all of them, older ones evenly thinned, measurements apart
// from the rest as there are few. Points are numbered, so that a reader asks for what came after its last.

import * as z from 'zod/mini';
import type { MetricPoint, MetricsPage } from '../../shared/protocol/snapshots.ts';
import { count } from './facts.ts';
import { isMeasured, pointOf, pointRow, Points, rowOf, type PointRow } from './points.ts';

export const POINT_EVERY_MS = 1000;
/** Twenty minutes in full. With what is older, 3,600 points: more than a screen has columns, 350 kB. */
export const RECENT_MAX = 1200;
const OLDER_MAX = 1600;
const MEASURED_MAX = 800;
export const POINTS_MAX = RECENT_MAX + OLDER_MAX + MEASURED_MAX;

const rows = (max: number) => z.array(pointRow).check(z.maxLength(max));
const thinnedFacts = (max: number) => z.strictObject({ kept: rows(max), stride: count, added: count });

export const historyFacts = z.strictObject({
  next: count,
  recent: rows(RECENT_MAX),
  older: thinnedFacts(OLDER_MAX),
  measured: thinnedFacts(MEASURED_MAX),
});
export type HistoryFacts = z.infer<typeof historyFacts>;

/** Every so many of what is added: of twice as many every second one, and so on, so that the whole span stays covered. */
class Thinned {
  readonly points: Points;
  #stride = 1;
  #added = 0;

  constructor(max: number) {
    this.points = new Points(max);
  }

  add(row: PointRow): void {
    if (this.#added++ % this.#stride !== 0) return;
    if (this.points.full) {
      this.#stride *= 2;
      this.points.thin();
    }
    this.points.push(row);
  }

  snapshot(): HistoryFacts['older'] {
    return { kept: this.points.rows(), stride: this.#stride, added: this.#added };
  }

  restore({ kept, stride, added }: HistoryFacts['older']): void {
    this.points.replace(kept);
    this.#stride = Math.max(1, stride);
    this.#added = added;
  }
}

export class History {
  readonly #recent = new Points(RECENT_MAX);
  readonly #older = new Thinned(OLDER_MAX);
  readonly #measured = new Thinned(MEASURED_MAX);
  #next = 0;

  add(point: MetricPoint): void {
    if (this.#recent.full) {
      const oldest = this.#recent.shift();
      (isMeasured(oldest) ? this.#measured : this.#older).add(oldest);
    }
    this.#recent.push(rowOf(this.#next++, point));
  }

  snapshot(): HistoryFacts {
    return {
      next: this.#next,
      recent: this.#recent.rows(),
      older: this.#older.snapshot(),
      measured: this.#measured.snapshot(),
    };
  }

  restore({ next, recent, older, measured }: HistoryFacts): void {
    this.#next = next;
    this.#recent.replace(recent);
    this.#older.restore(older);
    this.#measured.restore(measured);
  }

  /** The points numbered `since` and later, in order. */
  page(since: number): MetricsPage {
    const points = [this.#older.points, this.#measured.points, this.#recent]
      .flatMap((kept) => kept.rows(since))
      .sort(([a], [b]) => a - b)
      .map(pointOf);
    return { points, next: this.#next };
  }
}
