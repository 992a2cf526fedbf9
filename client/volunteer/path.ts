// Columns of numbers as the path of a small SVG chart. Pure. A gap lifts the pen; a lone value becomes a dot.

import type { Column } from '../page/history.ts';

export interface Box {
  readonly width: number;
  readonly height: number;
}
export type Range = readonly [number, number];

/** The smallest and largest value of columns, null when nothing is known. */
export function rangeOf(...columns: readonly (readonly (number | null)[])[]): Range | null {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

export interface Scales {
  readonly x: Range;
  readonly y: Range;
  readonly box: Box;
}

/**
 * SVG path data of y over x. `sparse` values are joined across nulls (they are measured now and then); others are not.
 * A range of zero width is drawn in its middle.
 */
export function linePath(xs: readonly number[], ys: Column, scales: Scales, sparse = false): string {
  const place = ([low, high]: Range, value: number): number => (high > low ? (value - low) / (high - low) : 0.5);
  let path = '';
  let drawing = false;
  ys.forEach((value, i) => {
    if (value === null) {
      drawing &&= sparse;
      return;
    }
    const x = (place(scales.x, xs[i]!) * scales.box.width).toFixed(1);
    const y = ((1 - place(scales.y, value)) * scales.box.height).toFixed(1);
    // A zero-length line under round caps is a dot, so a lone value is seen.
    path += drawing ? `L${x} ${y}` : `M${x} ${y}h0`;
    drawing = true;
  });
  return path;
}
