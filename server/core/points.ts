// Points of a run's curves as rows of numbers, in one block that is as large at the beginning as it will ever be.

import * as z from 'zod/mini';
import type { MetricPoint } from '../../shared/protocol/snapshots.ts';
import { count, figure } from './facts.ts';

/** A point, numbered; so it is written down too, three times shorter than by name. */
export const pointRow = z.tuple([
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
export type PointRow = z.infer<typeof pointRow>;
const COLUMNS = 12 satisfies PointRow['length'];

export function rowOf(number: number, point: MetricPoint): PointRow {
  const { timeMs, version, samples, trainLoss, validationLoss, accuracy, lagMean, gapMean, workers } = point;
  const figures = [trainLoss, validationLoss, accuracy, lagMean, gapMean] as const;
  return [number, timeMs, version, samples, ...figures, point.updatesPerSecond, point.samplesPerSecond, workers];
}

export function pointOf([, timeMs, version, samples, ...rest]: PointRow): MetricPoint {
  const [trainLoss, validationLoss, accuracy, lagMean, gapMean, updatesPerSecond, samplesPerSecond, workers] = rest;
  const figures = { trainLoss, validationLoss, accuracy, lagMean, gapMean };
  return { timeMs, version, samples, ...figures, updatesPerSecond, samplesPerSecond, workers };
}

/** A figure of the validation split goes with it; a loss that is not finite is none, and its accuracy still is one. */
export function isMeasured([, , , , , validationLoss, accuracy]: PointRow): boolean {
  return validationLoss !== null || accuracy !== null;
}

/** At most `max` rows, oldest first. A figure that is null or not finite comes out as null. */
export class Points {
  length = 0;
  readonly #max: number;
  readonly #values: Float64Array;
  /** Where the oldest is. */
  #first = 0;

  constructor(max: number) {
    this.#max = max;
    this.#values = new Float64Array(max * COLUMNS);
  }

  get full(): boolean {
    return this.length === this.#max;
  }

  push(row: PointRow): void {
    if (this.full) throw new RangeError(`there is room for ${this.#max} points`);
    const from = this.#offset(this.length++);
    row.forEach((value, column) => (this.#values[from + column] = value ?? NaN));
  }

  /** The oldest, taken out. */
  shift(): PointRow {
    const row = this.at(0);
    this.#first = (this.#first + 1) % this.#max;
    this.length -= 1;
    return row;
  }

  at(index: number): PointRow {
    const from = this.#offset(index);
    const row = this.#values.subarray(from, from + COLUMNS);
    return Array.from(row, (value) => (Number.isFinite(value) ? value : null)) as PointRow;
  }

  /** Of two, one. */
  thin(): void {
    const kept = this.rows().filter((_, index) => index % 2 === 0);
    this.replace(kept);
  }

  replace(rows: readonly PointRow[]): void {
    this.length = 0;
    this.#first = 0;
    rows.forEach((row) => this.push(row));
  }

  /** Those numbered `since` and later. */
  rows(since = 0): PointRow[] {
    const rows: PointRow[] = [];
    for (let i = 0; i < this.length; i++) if (this.#values[this.#offset(i)]! >= since) rows.push(this.at(i));
    return rows;
  }

  #offset(index: number): number {
    return ((this.#first + index) % this.#max) * COLUMNS;
  }
}
