// From a skeleton to the line the pen follows: short straight segments along a smooth curve through its points.

import type { Rng } from '../../rng.ts';
import type { Skeleton } from './skeletons.ts';

/** The pen's line: `count` points x, y; `lift[i]` is 1 where the pen comes down afresh. Overwritten for each digit. */
export interface Line {
  count: number;
  readonly xy: Float64Array;
  readonly lift: Uint8Array;
}

const MAX_POINTS = 128; // the longest skeleton draws 79
const SPAN_STEPS = 6;
const JITTER = 2.4; // of a box of 100: how far, as a standard deviation, a writer misses each point

export const newLine = (): Line => ({
  count: 0,
  xy: new Float64Array(2 * MAX_POINTS),
  lift: new Uint8Array(MAX_POINTS),
});

/** What each of the four points around a span counts for at each of its steps; a step's weights sum to 1. */
const SPAN_WEIGHTS = Array.from({ length: SPAN_STEPS }, (_, i) => {
  const t = (i + 1) / SPAN_STEPS;
  const [t2, t3] = [t * t, t * t * t];
  return [(2 * t2 - t - t3) / 2, (2 - 5 * t2 + 3 * t3) / 2, (t + 4 * t2 - 3 * t3) / 2, (t3 - t2) / 2] as const;
});

/** Writes the skeleton's curve into `line`, in the skeleton's own box of 100 × 100, every point moved a little. */
export function trace(skeleton: Skeleton, random: Rng, line: Line): void {
  const points = skeleton.points.map((coordinate) => coordinate + JITTER * random.normal());
  line.count = 0;
  for (const stroke of skeleton.strokes) {
    put(line, points[2 * stroke[0]!]!, points[2 * stroke[0]! + 1]!);
    line.lift[line.count - 1] = 1;
    for (let i = 0; i + 1 < stroke.length; i++) {
      if (stroke[i] !== stroke[i + 1]) traceSpan(points, stroke, i, line);
    }
  }
}

/**
 * The span from point i to i+1 of a stroke: a uniform Catmull-Rom spline, whose slope at a point is half the step between
 * its neighbours. A corner is listed twice, so the slope there looks to one side only.
 */
function traceSpan(points: Float64Array, stroke: readonly number[], i: number, line: Line): void {
  const b = 2 * stroke[i]!;
  const c = 2 * stroke[i + 1]!;
  const a = 2 * stroke[Math.max(i - 1, 0)]!;
  const d = 2 * stroke[Math.min(i + 2, stroke.length - 1)]!;
  for (const [wa, wb, wc, wd] of SPAN_WEIGHTS) {
    const x = wa * points[a]! + wb * points[b]! + wc * points[c]! + wd * points[d]!;
    const y = wa * points[a + 1]! + wb * points[b + 1]! + wc * points[c + 1]! + wd * points[d + 1]!;
    put(line, x, y);
  }
}

function put(line: Line, x: number, y: number): void {
  line.xy[2 * line.count] = x;
  line.xy[2 * line.count + 1] = y;
  line.lift[line.count] = 0;
  line.count++;
}
