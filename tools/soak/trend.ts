// A line through points, and the longest time that nothing rose.

export interface Point {
  /** In hours, or whatever the slope is asked in. */
  readonly at: number;
  readonly value: number;
}

/** Least squares; null of fewer than two moments. */
export function slope(points: readonly Point[]): number | null {
  const mean = (of: (point: Point) => number): number => points.reduce((sum, p) => sum + of(p), 0) / points.length;
  const at = mean((point) => point.at);
  const value = mean((point) => point.value);
  const spread = points.reduce((sum, point) => sum + (point.at - at) ** 2, 0);
  if (!(spread > 0)) return null;
  return points.reduce((sum, point) => sum + (point.at - at) * (point.value - value), 0) / spread;
}

/** From one rise to the next, or to the end. 0 of nothing. */
export function longestStall(points: readonly Point[]): number {
  const [first] = points;
  if (first === undefined) return 0;
  let [rose, highest, longest] = [first.at, first.value, 0];
  for (const { at, value } of points) {
    longest = Math.max(longest, at - rose);
    if (value > highest) [rose, highest] = [at, value];
  }
  return longest;
}
