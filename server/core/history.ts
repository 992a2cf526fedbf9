// The curves of a run, in bounded memory: the latest points all of them, older ones evenly thinned, measurements apart
// from the rest as there are few. Points are numbered, so that a reader asks for what came after its last.

import * as z from 'zod/mini';
import type { MetricPoint, MetricsPage } from '../../shared/protocol/snapshots.ts';
import { count, figure } from './facts.ts';

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

/** A point as it is written down: three times shorter than by name. */
const row = z.tuple([
  count, // number
  z.number(), // timeMs
  count, // version
  count, // samples
  figure, // trainLoss
  figure, // validationLoss
  figure, // accuracy
  figure, // lagMean
  figure, // gapMean
  z.number(), // updatesPerSecond
  z.number(), // samplesPerSecond
  count, // workers
]);
const rows = (max: number) => z.array(row).check(z.maxLength(max));
const thinnedFacts = (max: number) => z.strictObject({ kept: rows(max), stride: count, added: count });

export const historyFacts = z.strictObject({
  next: count,
  recent: rows(RECENT_MAX),
  older: thinnedFacts(OLDER_MAX),
  measured: thinnedFacts(MEASURED_MAX),
});
export type HistoryFacts = z.infer<typeof historyFacts>;

function written({ number, point }: Numbered): z.infer<typeof row> {
  const { timeMs, version, samples, trainLoss, validationLoss, accuracy, lagMean, gapMean, workers } = point;
  const figures = [trainLoss, validationLoss, accuracy, lagMean, gapMean] as const;
  return [number, timeMs, version, samples, ...figures, point.updatesPerSecond, point.samplesPerSecond, workers];
}

function read([number, timeMs, version, samples, ...rest]: z.infer<typeof row>): Numbered {
  const [trainLoss, validationLoss, accuracy, lagMean, gapMean, updatesPerSecond, samplesPerSecond, workers] = rest;
  const figures = { trainLoss, validationLoss, accuracy, lagMean, gapMean };
  return { number, point: { timeMs, version, samples, ...figures, updatesPerSecond, samplesPerSecond, workers } };
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

  snapshot(): HistoryFacts['older'] {
    return { kept: this.kept.map(written), stride: this.#stride, added: this.#added };
  }

  restore({ kept, stride, added }: HistoryFacts['older']): void {
    this.kept = kept.map(read);
    this.#stride = Math.max(1, stride);
    this.#added = added;
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

  snapshot(): HistoryFacts {
    return {
      next: this.#next,
      recent: this.#recent.map(written),
      older: this.#older.snapshot(),
      measured: this.#measured.snapshot(),
    };
  }

  restore({ next, recent, older, measured }: HistoryFacts): void {
    this.#next = next;
    this.#recent.splice(0, Infinity, ...recent.map(read));
    this.#older.restore(older);
    this.#measured.restore(measured);
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
