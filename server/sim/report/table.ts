// Rows as Markdown. The same rows give the same text.

import type { RunRow } from '../row.ts';
import { groupRows, spread, type Group, type Spread } from './statistics.ts';

/** A row a group of seeds. Accuracy is of the validation split unless it says test. */
export function longTable(rows: readonly RunRow[]): string {
  const fleets = new Set(rows.map(({ fleet }) => fleet)).size;
  const tested = rows.some(({ testLoss }) => testLoss !== null);
  const ended = rows.some(({ end }) => end !== 'finished');
  const columns: [string, (group: Group) => string][] = [
    ['method', ({ method }) => method],
    ['workers', ({ workers }) => String(workers)],
    ...(fleets > 1 ? ([['fleet', ({ fleet }) => fleet]] as [string, (group: Group) => string][]) : []),
    ['accuracy %', ({ rows: of }) => percent(of.map((row) => row.finalAccuracy))],
    [
      'loss',
      ({ rows: of }) =>
        fixed(
          of.map((row) => row.finalLoss),
          4,
        ),
    ],
    ...(tested ? testColumns() : []),
    [
      'lag',
      ({ rows: of }) =>
        fixed(
          of.map((row) => row.lagMean),
          2,
        ),
    ],
    ['gap', ({ rows: of }) => precise(of.map((row) => row.gapMean))],
    [
      'virtual time s',
      ({ rows: of }) =>
        fixed(
          of.map((row) => row.virtualTimeMs / 1000),
          1,
        ),
    ],
    ['wasted %', ({ rows: of }) => fixed(of.map(wastedPercent), 1)],
    ...(ended ? ([['ended', ({ rows: of }) => ends(of)]] as [string, (group: Group) => string][]) : []),
  ];
  const groups = groupRows(rows);
  return markdown(
    columns.map(([head]) => head),
    groups.map((group) => columns.map(([, cell]) => cell(group))),
  );
}

function testColumns(): [string, (group: Group) => string][] {
  return [
    ['test accuracy %', ({ rows }) => percent(rows.map((row) => row.testAccuracy))],
    [
      'test loss',
      ({ rows }) =>
        fixed(
          rows.map((row) => row.testLoss),
          4,
        ),
    ],
  ];
}

/** A line a method, a column a number of workers. */
export function wideTable(rows: readonly RunRow[], cell: (rows: readonly RunRow[]) => string): string {
  const counts = [...new Set(rows.map(({ workers }) => workers))].sort((a, b) => a - b);
  const methods = [...new Set(rows.map(({ method }) => method))];
  return markdown(
    ['method', ...counts.map((count) => `N = ${count}`)],
    methods.map((method) => [
      method,
      ...counts.map((count) => {
        const group = rows.filter((row) => row.method === method && row.workers === count);
        return group.length === 0 ? '' : cell(group);
      }),
    ]),
  );
}

/** The first column is text, the others are numbers. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** Ratios as mean ± sd in per cent. */
export const percent = (values: readonly (number | null)[]): string =>
  fixed(
    values.map((value) => value && 100 * value),
    2,
  );

const fixed = (values: readonly (number | null)[], digits: number): string =>
  shown(spread(values), (value) => value.toFixed(digits));

/** Three digits, whatever the size. */
export const precise = (values: readonly (number | null)[]): string =>
  shown(spread(values), (value) => (value === 0 ? '0' : value.toExponential(2)));

const shown = (of: Spread | null, format: (value: number) => string): string => {
  if (of === null) return '';
  return of.deviation === null ? format(of.mean) : `${format(of.mean)} ± ${format(of.deviation)}`;
};

function wastedPercent({ samples, wastedSamples, unusedSamples = 0 }: RunRow): number | null {
  const computed = samples + wastedSamples - unusedSamples;
  return computed === 0 ? null : (100 * wastedSamples) / computed;
}

function ends(rows: readonly RunRow[]): string {
  const others = (['diverged', 'stalled'] as const).map((end) => [end, rows.filter((row) => row.end === end).length]);
  const words = others.filter(([, count]) => count !== 0).map(([end, count]) => `${count} of ${rows.length} ${end}`);
  return words.length === 0 ? 'finished' : words.join(', ');
}
