// Loops over parameters that need several vectors at once: statistics by coordinate. As in vec.ts, they write their first
// argument and compute in doubles; there are no kernels for them. They take long: 30 ns a number (npm run bench).

import { settle } from './kernels/stage.ts';
import type { Vec } from './vec.ts';

/** Longer columns are sorted by the engine: inserting takes the square of their length. */
const INSERTED_MAX = 32;

/**
 * out ← by coordinate, the mean of what is left without the `trim` least and the `trim` greatest. Yin et al. (2018),
 * definition 2; with all but the middle one or two trimmed it is their definition 1, the median.
 */
export function trimmedMean(out: Vec, vectors: readonly Vec[], trim: number): void {
  const n = vectors.length;
  if (n === 0 || 2 * trim >= n || vectors.some(({ length }) => length !== out.length))
    throw new Error(`invariant violation: ${n} vectors, of which ${trim} are trimmed on each side`);
  settle();
  const column = new Float64Array(n);
  const left = n - 2 * trim;
  for (let i = 0; i < out.length; i++) {
    for (let k = 0; k < n; k++) column[k] = vectors[k]![i]!;
    sort(column);
    let sum = 0;
    for (let k = trim; k < n - trim; k++) sum += column[k]!;
    out[i] = sum / left;
  }
}

function sort(column: Float64Array): void {
  if (column.length > INSERTED_MAX) {
    column.sort();
    return;
  }
  for (let k = 1; k < column.length; k++) {
    const value = column[k]!;
    let at = k;
    while (at > 0 && column[at - 1]! > value) column[at] = column[--at]!;
    column[at] = value;
  }
}
