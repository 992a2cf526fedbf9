// Rows as a Vega-Lite specification: data and marks, no drawing. Means over the seeds; bars are standard deviations.

import type { TopLevelSpec } from 'vega-lite';
import type { RunRow } from '../row.ts';
import { groupRows, spread, type Group } from './statistics.ts';

/** Numbers of workers that get a panel of their own: more would be too small to read. */
const PANELS_MAX = 5;
const PANEL = { width: 190, height: 170 };
const PANEL_GAP = 20;
/** The least width of a section, and the height of how runs end against workers. */
const SECTION = { width: 610, height: 340 };
const GAP_BINS_PER_DECADE = 10;

type Unit = Extract<TopLevelSpec, { vconcat: unknown }>['vconcat'][number];
type Datum = Record<string, string | number | null>;

/** For each fleet: accuracy (or loss) against workers; loss against virtual time; how lags and gaps are distributed. */
export function comparisonPlot(rows: readonly RunRow[]): TopLevelSpec {
  const groups = groupRows(rows);
  const fleets = [...new Set(groups.map(({ fleet }) => fleet))];
  const methods = new Set(groups.map(({ method }) => method)).size;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: {
      font: 'sans-serif',
      axis: { gridColor: '#e8e8e8', domainColor: '#888', tickColor: '#888' },
      view: { stroke: '#ccc' },
      range: { category: { scheme: methods > 10 ? 'tableau20' : 'tableau10' } },
      legend: { labelLimit: 0 },
      title: { anchor: 'start' },
    },
    vconcat: fleets.flatMap((fleet) => {
      const units = sections(groups.filter((group) => group.fleet === fleet));
      return fleets.length === 1 ? units : units.map((unit): Unit => ({ title: `${fleet} fleet`, ...unit }));
    }),
  };
}

/** Of one fleet. */
function sections(groups: readonly Group[]): Unit[] {
  const counts = [...new Set(groups.map(({ workers }) => workers))].sort((a, b) => a - b);
  const picked = pick(counts, PANELS_MAX);
  const shown = groups.filter(({ workers }) => picked.includes(workers));
  const apart = shown.filter(({ rows }) => rows.some(({ lags }) => lags.length > 1));
  const width = Math.max(SECTION.width, abreast(picked.length, PANEL.width));
  const panel = { width: (width - abreast(picked.length, 0)) / picked.length, height: PANEL.height };
  const share = ['share', 'share of pushes'] as const;
  return [
    counts.length > 1 ? againstWorkers(groups, counts, width) : ofEach(groups, width),
    panels(curves(shown), panel, { x: ['virtualTimeS', 'virtual time, s'], y: ['loss', 'validation loss', 'log'] }),
    ...(apart.length > 0
      ? [panels(shares(apart, 'lags'), panel, { x: ['value', 'lag, versions', 'whole'], y: share })]
      : []),
    panels(shares(shown, 'gaps'), panel, { x: ['value', 'gap (root mean square)', 'log'], y: share }),
  ];
}

/** The width of so many panels side by side. */
const abreast = (count: number, width: number): number => count * (width + PANEL_GAP) - PANEL_GAP;

const METHOD = { field: 'method', type: 'nominal', title: 'method', sort: null } as const;

/** How the runs end: means and standard deviations, and what is measured. */
function ends(groups: readonly Group[]): { values: Datum[]; title: string } {
  const measured = groups.some(({ rows }) => rows.some(({ finalAccuracy }) => finalAccuracy !== null));
  const values = groups.flatMap(({ method, workers, rows }): Datum[] => {
    const figures = rows.map(({ finalAccuracy, finalLoss }) =>
      measured ? finalAccuracy && 100 * finalAccuracy : finalLoss,
    );
    const found = spread(figures);
    if (found === null) return [];
    const deviation = found.deviation ?? 0;
    return [{ method, workers, mean: found.mean, low: found.mean - deviation, high: found.mean + deviation }];
  });
  return { values, title: measured ? 'validation accuracy, %' : 'validation loss' };
}

/** Shapes tell apart what colours do not. */
const POINT = { type: 'point', filled: true, size: 60, opacity: 1 } as const;
const RULE = { type: 'rule', opacity: 0.6 } as const;

function againstWorkers(groups: readonly Group[], counts: number[], width: number): Unit {
  const { values, title } = ends(groups);
  const scale = { type: 'log', base: 2, nice: false, padding: 12 } as const;
  const x = { field: 'workers', type: 'quantitative', scale, axis: { values: counts }, title: 'workers' } as const;
  const y = { field: 'mean', type: 'quantitative', scale: { zero: false }, title } as const;
  const color = METHOD;
  return {
    data: { values },
    width,
    height: SECTION.height,
    layer: [
      { mark: 'line', encoding: { x, color, y } },
      { mark: POINT, encoding: { x, color, shape: METHOD, y } },
      { mark: RULE, encoding: { x, color, y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } } },
    ],
  };
}

/** With one number of workers: a row a method. */
function ofEach(groups: readonly Group[], width: number): Unit {
  const { values, title } = ends(groups);
  const y = { field: 'method', type: 'nominal', sort: null, title: null, axis: { labelLimit: 0 } } as const;
  const x = { field: 'mean', type: 'quantitative', scale: { zero: false }, title } as const;
  const color = METHOD;
  return {
    data: { values },
    width,
    height: { step: 24 },
    layer: [
      { mark: POINT, encoding: { x, y, color, shape: METHOD } },
      { mark: RULE, encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' }, y, color } },
    ],
  };
}

const SCALES = {
  linear: { scale: { zero: false } },
  whole: { scale: { zero: false }, axis: { format: 'd', tickMinStep: 1 } },
  log: { scale: { type: 'log' }, axis: { format: '.0e', tickCount: 3 } },
} as const;

type Axis = readonly [field: string, title: string, kind?: keyof typeof SCALES];

/** A panel a number of workers, a line a method. */
function panels(values: readonly Datum[], size: typeof PANEL, { x, y }: { x: Axis; y: Axis }): Unit {
  const axis = ([field, title, kind = 'linear']: Axis) => ({
    field,
    title,
    type: 'quantitative' as const,
    ...SCALES[kind],
  });
  return {
    data: { values: [...values] },
    facet: {
      column: {
        field: 'workers',
        type: 'ordinal',
        title: null,
        header: { labelExpr: "datum.value + (datum.value == 1 ? ' worker' : ' workers')" },
      },
    },
    spec: {
      ...size,
      mark: { type: 'line', clip: true },
      encoding: { x: axis(x), y: axis(y), color: METHOD },
    },
    resolve: { scale: { x: 'independent' } },
  };
}

/** The mean curve over the seeds, point by point. */
function curves(groups: readonly Group[]): Datum[] {
  return groups.flatMap(({ method, workers, rows }) => {
    const points = Math.min(...rows.map(({ curve }) => curve.length));
    return Array.from({ length: points }, (_, i): Datum => {
      const time = spread(rows.map(({ curve }) => curve[i]!.virtualTimeMs / 1000))!.mean;
      const loss = spread(rows.map(({ curve }) => curve[i]!.loss))?.mean ?? null;
      return { method, workers, virtualTimeS: time, loss: loss !== null && loss > 0 ? loss : null };
    });
  });
}

function shares(groups: readonly Group[], which: 'lags' | 'gaps'): Datum[] {
  return groups.flatMap(({ method, workers, rows }) => {
    const bins = new Map<number, number>();
    let total = 0;
    for (const row of rows) {
      for (const [bin, count] of row[which]) {
        bins.set(bin, (bins.get(bin) ?? 0) + count);
        total += count;
      }
    }
    const value = (bin: number): number => (which === 'lags' ? bin : 10 ** ((bin + 0.5) / GAP_BINS_PER_DECADE));
    const sorted = [...bins].sort(([a], [b]) => a - b);
    return sorted.map(([bin, count]): Datum => ({ method, workers, value: value(bin), share: count / total }));
  });
}

/** At most so many of a sorted list, evenly, with its first and last. */
function pick(sorted: readonly number[], most: number): number[] {
  if (sorted.length <= most) return [...sorted];
  return Array.from({ length: most }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (most - 1))]!);
}
