// Why nag-asgd comes back after it has diverged: E1, small, with two things taken away that may help it. Behind a LayerNorm
// the loss does not depend on how long a layer's weights are, but the gradient does: it is shorter the longer they are.
// Every step makes them longer, a large one by much. And centred inputs leave less curvature than pixels as they are.

import type { RunRow } from '../row.ts';
import { meanOf } from '../report/statistics.ts';
import { markdown } from '../report/table.ts';
import type { Scenario } from '../scenario.ts';
import { HOMOGENEOUS } from '../fleet.ts';
import { SMALL_GRID } from './e1.ts';
import { accuracyOf, atLeast, atMost, grid, type Check, type Size, type TableExperiment } from './experiment.ts';

interface Line {
  readonly label: string;
  readonly heldNorms?: true;
  readonly raw?: true;
}

const AS_IT_IS: Line = { label: 'nag-asgd' };
const HELD: Line = { label: 'nag-asgd, lengths held', heldNorms: true };
const RAW: Line = { label: 'nag-asgd, raw pixels', raw: true };
const BOTH: Line = { label: 'nag-asgd, raw pixels, lengths held', heldNorms: true, raw: true };
const LINES = [AS_IT_IS, HELD, RAW, BOTH];
const WORKERS = [16, 32];
/** The last whole epoch at the peak of the learning rate. */
const PEAK_EPOCH = 6;

function scenarios({ reduced, seeds }: Size): Scenario[] {
  return LINES.flatMap(({ label, heldNorms, raw }) => {
    const contenders = [{ name: 'nag-asgd', label }];
    const runs = grid({ ...SMALL_GRID, contenders, workers: reduced ? [16] : WORKERS, seeds });
    return runs.map((run) => ({
      ...run,
      ...(heldNorms && { heldNorms }),
      ...(raw && { problem: { ...SMALL_GRID.problem, raw } }),
    }));
  });
}

type Figure = (line: Line, workers: number) => number;

function figures(rows: readonly RunRow[]): { peak: Figure; end: Figure } {
  const atPeak = ({ curve }: RunRow): number | null => {
    const accuracy = curve.find(({ epoch }) => epoch === PEAK_EPOCH)?.accuracy ?? null;
    return accuracy === null ? null : 100 * accuracy;
  };
  const of = ({ label }: Line, workers: number) => ({ method: label, workers, fleet: HOMOGENEOUS.name });
  return {
    peak: (line, workers) => meanOf(rows, of(line, workers), atPeak),
    end: (line, workers) => meanOf(rows, of(line, workers), accuracyOf),
  };
}

function tables(rows: readonly RunRow[]): string {
  const { peak, end } = figures(rows);
  const counts = WORKERS.filter((count) => rows.some(({ workers }) => workers === count));
  const head = counts.flatMap((count) => [`N = ${count}: after epoch ${PEAK_EPOCH}`, `N = ${count}: test, at the end`]);
  const lines = LINES.map((line) => [
    line.label,
    ...counts.flatMap((count) => [peak(line, count).toFixed(1), end(line, count).toFixed(1)]),
  ]);
  return `Accuracy, %, means over the seeds:\n\n${markdown(['', ...head], lines)}`;
}

function checks(rows: readonly RunRow[]): Check[] {
  const { peak, end } = figures(rows);
  const found = peak(AS_IT_IS, 16) - peak(HELD, 16);
  const few = [
    atLeast('N = 16: at the peak learning rate, lengths held cost at least 20 points', found, 20, ' points'),
  ];
  if (!rows.some(({ workers }) => workers === 32)) return few;
  return [
    ...few,
    atMost('N = 32: with lengths held nag-asgd ends below 50 %', end(HELD, 32), 50, ' %'),
    atMost('N = 32: with raw pixels nag-asgd ends below 50 %', end(RAW, 32), 50, ' %'),
  ];
}

export const E1_NAG: TableExperiment = {
  kind: 'table',
  name: 'e1-nag',
  title: 'E1, small: why nag-asgd comes back',
  about:
    'As e1-small, with the length of what lies below each LayerNorm put back to its first after every push (the network computes the same), with pixels of 0 to 1 in place of centred ones, and with both.',
  scenarios,
  tables,
  checks,
};
