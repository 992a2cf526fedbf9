// Rows of several seeds put together.

import type { RunRow } from '../row.ts';

export interface Spread {
  readonly mean: number;
  /** Sample standard deviation; null of fewer than two. */
  readonly deviation: number | null;
}

/** Null when there is nothing to take the mean of. */
export function spread(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  if (known.length === 1) return { mean, deviation: null };
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (known.length - 1)) };
}

/** `0.61 ± 0.14`: the mean and its standard error, which a single value does not have. */
export function withError(values: readonly number[], digits: number): string {
  const { mean, deviation } = spread(values)!;
  const error = deviation === null ? '' : ` ± ${(deviation / Math.sqrt(values.length)).toFixed(digits)}`;
  return `${mean.toFixed(digits)}${error}`;
}

/** The runs that differ in their seed alone. */
export interface Group {
  readonly method: string;
  readonly workers: number;
  readonly fleet: string;
  readonly rows: readonly RunRow[];
}

/** In the order in which they first come. */
export function groupRows(rows: readonly RunRow[]): Group[] {
  const groups = new Map<string, RunRow[]>();
  for (const row of rows) {
    const key = `${row.fleet}\n${row.method}\n${row.workers}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const { method, workers, fleet } = group[0]!;
    return { method, workers, fleet, rows: group };
  });
}

/** `Seed 1`, `Seeds 1 to 3`, `Seeds 1, 3`: those that the rows are of. */
export function seedsOf(rows: readonly RunRow[]): string {
  const seeds = [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  const [first, last] = [seeds[0]!, seeds.at(-1)!];
  if (first === last) return `Seed ${first}`;
  return last - first === seeds.length - 1 ? `Seeds ${first} to ${last}` : `Seeds ${seeds.join(', ')}`;
}

/** The group's mean of one figure; throws when there is no such group, or the figure is not known. */
export function meanOf(
  rows: readonly RunRow[],
  of: { readonly method: string; readonly workers: number; readonly fleet?: string },
  figure: (row: RunRow) => number | null,
): number {
  const group = rows.filter(
    ({ method, workers, fleet }) =>
      method === of.method && workers === of.workers && (of.fleet === undefined || fleet === of.fleet),
  );
  const found = spread(group.map(figure));
  if (found === null) throw new Error(`no figure of ${of.method} with ${of.workers} workers`);
  return found.mean;
}
