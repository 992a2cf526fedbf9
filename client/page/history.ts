// The curves of one run, as columns: what charts draw from, outside React. Pure and bounded. A missing value is null and
// stays a gap; where the run was silent for long, a row of nulls breaks the line.

import type { MetricPoint, MetricsPage } from '../../shared/protocol/snapshots.ts';

/** Twice as many rows as a wide chart has pixels: beyond this, neighbours are merged, evenly over the whole run. */
export const ROWS_MAX = 4096;
/** Points come once a second or less often: silence longer than this, and much longer than before, is a gap. */
const SILENCE_MS = 15_000;
const SILENCE_FACTOR = 6;

/** Where a row lies: known for every row, never falling. */
const PLACES = ['timeMs', 'version', 'samples'] as const;
const MEASURES = [
  'trainLoss',
  'validationLoss',
  'accuracy',
  'lagMean',
  'gapMean',
  'updatesPerSecond',
  'samplesPerSecond',
  'workers',
] as const;

export type Place = (typeof PLACES)[number];
export type Measure = (typeof MEASURES)[number];
export type Column = (number | null)[];

export class History {
  readonly places: Record<Place, number[]> = { timeMs: [], version: [], samples: [] };
  readonly measures = Object.fromEntries(MEASURES.map((name): [string, Column] => [name, []])) as Record<
    Measure,
    Column
  >;
  readonly #rowsMax: number;
  /** Rows nearer than this are merged when there are too many: a power of two times a second. */
  #spacingMs = 1000;
  #cursor = 0;
  #revision = 0;

  constructor(rowsMax = ROWS_MAX) {
    this.#rowsMax = rowsMax;
  }

  get rows(): number {
    return this.places.timeMs.length;
  }

  /** What to ask for next: `since`. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Rises whenever something changed: the snapshot that React compares. */
  get revision(): number {
    return this.#revision;
  }

  /** The last value that is known of a measure. */
  latest(measure: Measure): number | null {
    return this.measures[measure].findLast((value) => value !== null) ?? null;
  }

  clear(): void {
    this.#cursor = 0;
    this.#revision += 1;
    this.#spacingMs = 1000;
    for (const column of this.#columns()) column.length = 0;
  }

  /**
   * Adds a page of points. Points already held are passed over, so a page may come twice. A cursor that fell back means
   * that the run was restored from an earlier state: what was held is forgotten.
   */
  merge(page: MetricsPage): void {
    if (page.next < this.#cursor) this.clear();
    this.#cursor = page.next;
    for (const point of page.points) this.#append(point);
    if (page.points.length > 0) this.#revision += 1;
    if (this.rows > this.#rowsMax) this.#thin();
  }

  #columns(): Column[] {
    return [...PLACES.map((name): Column => this.places[name]), ...MEASURES.map((name) => this.measures[name])];
  }

  #append(point: MetricPoint): void {
    const last = this.places.timeMs.at(-1);
    if (last !== undefined) {
      if (point.timeMs <= last) return;
      const before = this.places.timeMs.at(-2);
      const silence = point.timeMs - last;
      const usual = before === undefined ? silence : last - before;
      if (silence > SILENCE_MS && silence > SILENCE_FACTOR * usual) this.#break(last + silence / 2);
    }
    for (const name of PLACES) this.places[name].push(point[name]);
    for (const name of MEASURES) this.measures[name].push(finite(point[name]));
  }

  #break(timeMs: number): void {
    for (const name of PLACES) this.places[name].push(name === 'timeMs' ? timeMs : this.places[name].at(-1)!);
    for (const name of MEASURES) this.measures[name].push(null);
  }

  /** Half as many rows as may be held, evenly spaced: of each span of time the latest values that are known. */
  #thin(): void {
    const times = this.places.timeMs;
    const span = times.at(-1)! - times[0]!;
    while (span / this.#spacingMs > this.#rowsMax / 2) this.#spacingMs *= 2;
    const bucket = times.map((time) => Math.floor(time / this.#spacingMs));
    let kept = -1;
    for (let row = 0; row < bucket.length; row++) {
      const fresh = row === 0 || bucket[row] !== bucket[row - 1];
      if (fresh) kept += 1;
      for (const column of this.#columns()) column[kept] = column[row] ?? (fresh ? null : column[kept]) ?? null;
    }
    for (const column of this.#columns()) column.length = kept + 1;
  }
}

const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);
