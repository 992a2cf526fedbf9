// E2: from lockstep to none in mid-run, with the same hyper-parameters, when the cluster is strained. GBA against going on
// in lockstep, and against an update for every gradient.

import { HETEROGENEOUS } from '../fleet.ts';
import { meanOf, withError } from '../report/statistics.ts';
import { markdown } from '../report/table.ts';
import type { RunRow } from '../row.ts';
import type { Scenario } from '../scenario.ts';
import { accuracyOf, atLeast, atMost, grid, type Check, type TableExperiment } from './experiment.ts';
import { LARGE } from './e1.ts';

const EPOCHS = 10;
const SWITCH = 5;
const WORKERS = 8;
const BASE = { learningRate: 0.02, weightDecay: 0, momentum: 0.9 };
const GBA = { ...BASE, name: 'gba', bufferSize: WORKERS, maxStaleness: 3 };

const STAYS = 'lockstep throughout';
const NAIVE = 'then nag-asgd';
const SWITCHES = 'then gba';

interface After {
  readonly label: string;
  readonly workers: number;
  /** What the run goes on with; null: as before. */
  readonly method: typeof GBA | (typeof BASE & { readonly name: string }) | null;
  readonly mode?: string;
}

const AFTER: readonly After[] = [
  { label: STAYS, workers: WORKERS, method: null },
  { label: NAIVE, workers: WORKERS, method: { ...BASE, name: 'nag-asgd' } },
  { label: SWITCHES, workers: WORKERS, method: GBA, mode: 'async' },
  { label: 'gba decides', workers: WORKERS, method: GBA, mode: 'auto' },
  { label: SWITCHES, workers: 4 * WORKERS, method: GBA, mode: 'async' },
];

function scenarios({ reduced, seeds }: { reduced: boolean; seeds: number }): Scenario[] {
  const contenders = reduced ? AFTER.slice(0, 3) : AFTER;
  return contenders.flatMap(({ label, workers, method, mode }) =>
    grid({
      contenders: [{ name: 'gba', label, set: { momentum: 0.9, bufferSize: WORKERS, maxStaleness: 3 } }],
      workers: [workers],
      seeds,
      fleet: HETEROGENEOUS,
      problem: LARGE,
      batchSize: 64,
      epochs: EPOCHS,
      learningRate: BASE.learningRate,
      weightDecay: BASE.weightDecay,
      schedule: () => ({ warmup: { epochs: 1, from: 1 / WORKERS } }),
    }).map((scenario): Scenario => {
      const { schedule } = scenario.method;
      const after = method && { ...method, ...(mode !== undefined && { mode }), schedule };
      const changes = after === null ? {} : { changes: [{ afterEpochs: SWITCH, method: after }] };
      return { ...scenario, method: { ...scenario.method, mode: 'sync' }, ...changes };
    }),
  );
}

/** Points of validation accuracy lost from the last epoch in lockstep to the first after it. */
function dropOf({ curve }: RunRow): number | null {
  const at = (epoch: number): number | null => curve.find((point) => point.epoch === epoch)?.accuracy ?? null;
  const [before, after] = [at(SWITCH), at(SWITCH + 1)];
  return before === null || after === null ? null : 100 * (before - after);
}

/** Samples a virtual second after the switch. */
function throughputOf({ curve }: RunRow): number | null {
  const before = curve.find(({ epoch }) => epoch === SWITCH);
  const last = curve.at(-1);
  if (!before || !last || last.epoch <= SWITCH) return null;
  return (1000 * (last.samples - before.samples)) / (last.virtualTimeMs - before.virtualTimeMs);
}

function checks(rows: readonly RunRow[]): Check[] {
  const of = (method: string) => ({ method, workers: WORKERS });
  const mean = (method: string, figure: (row: RunRow) => number | null): number => meanOf(rows, of(method), figure);
  const behind = mean(STAYS, accuracyOf) - mean(SWITCHES, accuracyOf);
  const faster = mean(SWITCHES, throughputOf) / mean(STAYS, throughputOf);
  return [
    atLeast('At the switch, an update for every gradient costs at least 5 points', mean(NAIVE, dropOf), 5, ' points'),
    atMost('At the switch, gba costs at most 2 points', mean(SWITCHES, dropOf), 2, ' points'),
    {
      ...atMost('At the end, gba is within half a point of lockstep', behind, 0.5, ' points below'),
      knownMiss: 'twelve seeds say 0.61 ± 0.14, mean and standard error: neither for the claim nor against it',
    },
    atLeast('gba does at least 1.5 times as many samples a second', faster, 1.5, '×'),
  ];
}

/** What the claims are means of, seed by seed: each seed draws a fleet of its own. */
function eachSeed(rows: readonly RunRow[]): string {
  const figures: [string, (seed: number) => number][] = [
    ['drop to an update for every gradient', (seed) => one(NAIVE, seed, dropOf)],
    ['drop to gba', (seed) => one(SWITCHES, seed, dropOf)],
    ['gba below lockstep at the end', (seed) => one(STAYS, seed, accuracyOf) - one(SWITCHES, seed, accuracyOf)],
    ['samples a second, gba over lockstep', (seed) => one(SWITCHES, seed, throughputOf) / one(STAYS, seed, throughputOf)], // prettier-ignore
  ];
  const one = (method: string, seed: number, figure: (row: RunRow) => number | null): number =>
    meanOf(rows.filter((row) => row.seed === seed), { method, workers: WORKERS }, figure); // prettier-ignore
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  const lines = figures.map(([what, of]) => {
    const each = seeds.map(of);
    return [what, ...each.map((value) => value.toFixed(2)), withError(each, 2)];
  });
  const head = ['what', ...seeds.map((seed) => `seed ${seed}`), 'mean ± standard error'];
  return `Each seed, in points and as a ratio:\n\n${markdown(head, lines)}`;
}

export const E2: TableExperiment = {
  kind: 'table',
  name: 'e2',
  title: 'E2: from lockstep to none, and the same hyper-parameters',
  about:
    'Fashion-MNIST, LayerNorm MLP 784-128-64-10, batches of 64, global batch 512 (M = 8), learning rate 0.02, momentum 0.9, warm-up of 1 epoch; five epochs of gba in lockstep with 8 workers, then five as the line says; heterogeneous fleet, V_mach 0.6, V_task 0.1; ι = 3.',
  // Each draws a fleet of its own, and they differ by more than three would tell.
  seeds: 12,
  scenarios,
  details: eachSeed,
  checks,
};
