// What it costs to lose workers: the time to the loss that the calm run has after four fifths of its way, against that run,
// while so many workers a minute vanish without a word and others come half a minute later.

import type { TopLevelSpec } from 'vega-lite';
import { HOMOGENEOUS, type Fleet } from '../fleet.ts';
import { PERFECT_NETWORK } from '../network.ts';
import { spread, type Spread } from '../report/statistics.ts';
import { markdown } from '../report/table.ts';
import type { RunRow } from '../row.ts';
import type { Scenario } from '../scenario.ts';
import { atMost, grid, type Check, type Contender, type TableExperiment } from './experiment.ts';

const WORKERS = 20;
const EPOCHS = 1200;
/** Of the calm run's way. */
const TARGET_PART = 0.8;
const AWAY_MS = 30_000;
/** Per cent of the workers lost every minute. */
const RATES = [0, 5, 10, 20, 40];
const PROMISED = { rate: 10, factor: 1.25 };

/** As much of a way in as many pushes: momentum 0.9 goes ten times as far, a round of twenty takes twenty pushes. */
const CONTENDERS: readonly (Contender & { readonly learningRate: number; readonly waits: boolean })[] = [
  { name: 'asgd', learningRate: 0.001, waits: false },
  { name: 'gap-aware', set: { momentum: 0.9 }, learningRate: 0.0001, waits: false },
  { name: 'dana-ga', set: { momentum: 0.9 }, learningRate: 0.0001, waits: false },
  { name: 'ssgd', learningRate: 0.02, waits: true },
  { name: 'local-sgd', set: { localSteps: 4 }, learningRate: 0.02, waits: true },
];

/** With a network that may lose, so that deadlines are those of real runs. */
const fleetOf = (rate: number): Fleet => ({
  ...HOMOGENEOUS,
  ...{ name: nameOf(rate), leasesPerWorker: 2, order: 'sharded', network: { ...PERFECT_NETWORK, loss: 1e-9 } },
  churn: rate === 0 ? null : { stayMs: (60_000 * 100) / rate, awayMs: AWAY_MS, crashes: 1 },
});
const nameOf = (rate: number): string => `${rate} % a minute`;

function scenarios({ reduced, seeds }: { reduced: boolean; seeds: number }): Scenario[] {
  const rates = reduced ? [0, PROMISED.rate] : RATES;
  return rates.flatMap((rate) =>
    CONTENDERS.flatMap((contender) =>
      grid({
        contenders: [contender],
        workers: [WORKERS],
        seeds,
        fleet: fleetOf(rate),
        problem: { kind: 'quadratic', curvatures: [1, 0.3], noise: 0, samples: 2_000 },
        batchSize: 500,
        epochs: EPOCHS,
        learningRate: contender.learningRate,
        weightDecay: 0,
        schedule: () => ({}),
      }),
    ),
  );
}

/** Time to the target, against the calm run of the same seed; null when it was not reached. */
function factors(rows: readonly RunRow[], method: string, rate: number): (number | null)[] {
  const of = (fleet: string): RunRow[] => rows.filter((row) => row.method === method && row.fleet === fleet);
  return of(nameOf(rate)).map((row) => {
    const calm = of(nameOf(0)).find(({ seed }) => seed === row.seed)!;
    const target = calm.curve[Math.floor(TARGET_PART * calm.curve.length)]!.loss!;
    const reachedMs = ({ curve }: RunRow): number | null =>
      curve.find(({ loss }) => loss !== null && loss <= target)?.virtualTimeMs ?? null;
    const [lossyMs, calmMs] = [reachedMs(row), reachedMs(calm)!];
    return lossyMs === null ? null : lossyMs / calmMs;
  });
}

interface Found extends Spread {
  readonly method: string;
  readonly rate: number;
}

const found = (rows: readonly RunRow[]): Found[] =>
  CONTENDERS.flatMap(({ name: method }) =>
    RATES.flatMap((rate) => {
      const spreadOf = spread(factors(rows, method, rate));
      return spreadOf === null ? [] : [{ method, rate, ...spreadOf }];
    }),
  );

function checks(rows: readonly RunRow[]): Check[] {
  const { rate, factor } = PROMISED;
  return CONTENDERS.filter(({ waits }) => !waits).map(({ name }) => {
    const all = factors(rows, name, rate).map((one) => one ?? Infinity);
    return atMost(`${name}, ${nameOf(rate)} lost: at most ${factor} of the calm time`, Math.max(...all), factor, '×');
  });
}

function tables(rows: readonly RunRow[]): string {
  const all = found(rows);
  const rates = RATES.filter((rate) => all.some((one) => one.rate === rate));
  const cell = (method: string, rate: number): string => {
    const one = all.find((other) => other.method === method && other.rate === rate);
    if (!one) return 'not reached';
    return one.deviation === null ? one.mean.toFixed(2) : `${one.mean.toFixed(2)} ± ${one.deviation.toFixed(2)}`;
  };
  const lines = CONTENDERS.map(({ name }) => [name, ...rates.map((rate) => cell(name, rate))]);
  return `Time to the target against the calm run, by workers lost:\n\n${markdown(['method', ...rates.map(nameOf)], lines)}`;
}

function plot(rows: readonly RunRow[]): TopLevelSpec {
  const values = found(rows).map(({ mean, deviation, ...one }) => {
    return { ...one, mean, low: mean - (deviation ?? 0), high: mean + (deviation ?? 0) };
  });
  const x = { field: 'rate', type: 'quantitative', title: 'workers lost, % a minute' } as const;
  const color = { field: 'method', type: 'nominal', title: 'method', sort: null } as const;
  const title = 'time to the target, of the calm run’s';
  const scale = { zero: false };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    width: 420,
    height: 300,
    data: { values },
    layer: [
      {
        mark: { type: 'line', point: true },
        encoding: { x, color, y: { field: 'mean', type: 'quantitative', scale, title } },
      },
      {
        mark: { type: 'rule', opacity: 0.6 },
        encoding: { x, color, y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
      },
      { mark: { type: 'rule', strokeDash: [4, 4] }, encoding: { y: { datum: PROMISED.factor, type: 'quantitative' } } },
    ],
  };
}

export const FAULTS: TableExperiment = {
  kind: 'table',
  name: 'faults',
  title: 'What losing workers costs',
  about: `A quadratic without noise, ${WORKERS} workers of one speed with two leases each, five seconds a step, ${EPOCHS} epochs of four pushes. Workers vanish without a word at exponential times and come back as others after ${AWAY_MS / 1000} s on average; the target is the calm run’s loss after ${100 * TARGET_PART} % of its way. The line is the promise: ${PROMISED.factor} at ${nameOf(PROMISED.rate)}.`,
  scenarios,
  checks,
  tables,
  plot,
};
