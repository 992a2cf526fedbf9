// Draws a chart's columns with uPlot, outside React: created on an element, redrawn from the curves, taken down.

import uPlot from 'uplot';
import { clock, compact } from '../page/format.ts';
import type { Column, History, Place } from '../page/history.ts';
import type { ChartSpec, SeriesSpec } from './chart-specs.ts';

export interface PlotOptions {
  readonly spec: ChartSpec;
  readonly curves: History;
  readonly place: Place;
  readonly log: boolean;
  /** Versions to mark by a line, now. */
  readonly marks: () => readonly number[];
  /** Text about the point under the pointer; empty when there is none. */
  readonly onPoint: (text: string) => void;
}

export interface Plot {
  readonly redraw: () => void;
  readonly destroy: () => void;
}

type Side = 'left' | 'right';
const sideOf = (one: SeriesSpec): Side => (one.right ? 'right' : 'left');

const HEIGHT = 210;
/** Round steps of the horizontal axis: seconds up to days; whole numbers. */
const SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
];
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
const INCREMENTS: Record<Place, number[]> = {
  timeMs: SECONDS.map((seconds) => seconds * 1000),
  version: WHOLE,
  samples: WHOLE,
};

const FONT = '11px system-ui, sans-serif';

/** Fills the element's width, and follows it. */
export function createPlot(element: HTMLElement, options: PlotOptions): Plot {
  const plot = new uPlot(uplotOptions(element, options), dataOf(options), element);
  const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
  resized.observe(element);
  return {
    redraw: () => plot.setData(dataOf(options)),
    destroy: () => {
      resized.disconnect();
      plot.destroy();
    },
  };
}

function dataOf({ spec, curves, place }: PlotOptions): uPlot.AlignedData {
  return [curves.places[place], ...spec.series.map((one) => curves.measures[one.measure])];
}

function uplotOptions(element: HTMLElement, options: PlotOptions): uPlot.Options {
  const { spec, log } = options;
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const line = { stroke: colour('--gray-11'), font: FONT, ticks: { show: false } };
  const grid = { stroke: colour('--chart-grid'), width: 1 };
  // Quantities that move alike (updates and samples) would hide each other: the right axis has more room above.
  const scale = (room: number): uPlot.Scale => ({
    distr: log ? 3 : 1,
    range: (_plot, low, high) => (log ? logRangeFor(low, high) : rangeFor(spec, low, high && high * room)),
  });
  const axis = (side: Side): uPlot.Axis[] => {
    const first = spec.series.find((one) => sideOf(one) === side);
    const place = side === 'left' ? { side: 3, grid } : { side: 1, grid: { show: false } };
    const values: uPlot.Axis.DynamicValues = (_plot, splits) =>
      splits.map((value) => (value === null ? '' : (first?.tick(Number(value.toPrecision(log ? 2 : 6))) ?? '')));
    return first === undefined ? [] : [{ ...line, ...place, scale: side, size: side === 'left' ? 52 : 62, values }];
  };
  const places: uPlot.Axis.DynamicValues = (_plot, splits) => splits.map(placeLabel(options.place));
  return {
    width: element.clientWidth || 320,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    padding: [8, spec.series.some((one) => one.right) ? 0 : 20, 0, 0],
    scales: { x: { time: false }, left: scale(1), right: scale(1.4) },
    axes: [
      { ...line, grid: { show: false }, space: 70, size: 26, incrs: INCREMENTS[options.place], values: places },
      ...axis('left'),
      ...axis('right'),
    ],
    series: [{}, ...spec.series.map((one) => seriesOptions(one, colour(one.colour)))],
    hooks: {
      setCursor: [(plot) => options.onPoint(pointText(options, plot.cursor.idx ?? null))],
      draw: [(plot) => drawMarks(plot, placesOf(options), colour('--chart-mark'))],
    },
  };
}

/** Where the marked versions are on the horizontal axis: the first point that has them, or none. */
export function placesOf({ curves, place, marks }: Pick<PlotOptions, 'curves' | 'place' | 'marks'>): number[] {
  const { version } = curves.places;
  const rows = marks().map((mark) => version.findIndex((value) => value !== null && value >= mark));
  return [...new Set(rows)].filter((row) => row >= 0).map((row) => curves.places[place][row]!);
}

function drawMarks(plot: uPlot, places: readonly number[], colour: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const place of places) {
    const x = Math.round(plot.valToPos(place, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function seriesOptions(one: SeriesSpec, stroke: string): uPlot.Series {
  const sparse = one.sparse === true;
  return {
    label: one.label,
    scale: sideOf(one),
    stroke,
    width: 1.5,
    spanGaps: sparse,
    points: { show: true, size: 4, fill: stroke, width: 0, ...(sparse ? {} : { filter: loneRows }) },
  };
}

/** Rows between two gaps, which no line would show. */
function loneRows(plot: uPlot, series: number): number[] {
  const column = plot.data[series]!;
  const lone: number[] = [];
  column.forEach((value, row) => {
    const known = (at: number): boolean => (column[at] ?? null) !== null;
    if (value !== null && !known(row - 1) && !known(row + 1)) lone.push(row);
  });
  return lone;
}

/** A little room above and below; nothing known is shown as an empty axis from 0 to 1. */
function rangeFor(spec: ChartSpec, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1];
  if (spec.fromZero) return [0, high > 0 ? high * 1.1 : 1];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

/** A logarithmic axis has no 0: at most six decades are shown below the highest value. */
function logRangeFor(low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null || high <= 0) return [0.1, 1];
  return [Math.max(low, high * 1e-6) * 0.8, high * 1.25];
}

const placeLabel =
  (place: Place) =>
  (value: number): string =>
    place === 'timeMs' ? clock(value) : compact(value);

function pointText({ spec, curves, place }: PlotOptions, row: number | null): string {
  const at = row === null ? undefined : curves.places[place][row];
  if (row === null || at === undefined) return '';
  const values = spec.series.map((one) => one.format(valueAt(curves.measures[one.measure], row, one.sparse === true)));
  return `${place === 'timeMs' ? clock(at) : compact(at)}: ${values.join(' · ')}`;
}

/** Of a sparse measure, the last measurement up to the row. */
function valueAt(column: Column, row: number, sparse: boolean): number | null {
  if (!sparse) return column[row] ?? null;
  return column.findLast((value, i) => i <= row && value !== null) ?? null;
}
