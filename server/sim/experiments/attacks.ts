// Liars among the workers: what each attack does to a run without a defence, with the clip alone, and with all of them.

import { NO_DEFENCES, runSchema, type Defences } from '../../../shared/config.ts';
import type { Fault, FaultyWorkers } from '../byzantine.ts';
import { MS_PER_SAMPLE, type Fleet, HOMOGENEOUS } from '../fleet.ts';
import { meanOf } from '../report/statistics.ts';
import { markdown } from '../report/table.ts';
import type { RunRow } from '../row.ts';
import type { ProblemSpec, Scenario } from '../scenario.ts';
import { accuracyOf, atLeast, atMost, type Check, type TableExperiment } from './experiment.ts';

const WORKERS = 25;
const EPOCHS = 8;
const BATCH = 64;
const SAMPLES = 24_000;
const FIFTH = WORKERS / 5;
/** That of E1, small; of 0.01 to 0.2 it has the best validation accuracy where nobody lies and nothing defends. */
const LEARNING_RATE = 0.05;
/** When half of the run is over, were all workers alike and honest. */
const HALF_MS = (0.5 * EPOCHS * SAMPLES * MS_PER_SAMPLE) / WORKERS;
/** Five workers make their first fifty pushes in this time. */
const FIFTY_PUSHES_MS = 10 * BATCH * MS_PER_SAMPLE;
/** Four times the traffic of all others together where five of 25 do it, ten times where ten do. */
const FLOOD_SPEED = 16;

const PROBLEM: ProblemSpec = {
  kind: 'network',
  dataset: 'fashion-mnist',
  pool: 14,
  trainSamples: SAMPLES,
  model: 'ln-mlp',
  hidden: [64, 32],
};

interface Attack {
  readonly name: string;
  readonly faulty: readonly FaultyWorkers[];
  readonly honestAfterMs?: number;
  readonly learningRate?: number;
}

const all = (fault: Fault, workers: number, more: Partial<FaultyWorkers> = {}): FaultyWorkers[] => [
  { fault, workers, ...more },
];

const CLEAN = 'nobody lies';
export const ATTACKS: readonly Attack[] = [
  { name: CLEAN, faulty: [] },
  { name: 'nobody lies, learning rate 0.02', faulty: [], learningRate: 0.02 },
  { name: '20 % sign-flip', faulty: all('sign-flip', FIFTH) },
  { name: '20 % ×10', faulty: all('times-ten', FIFTH) },
  { name: '20 % constant', faulty: all('constant', FIFTH) },
  { name: '20 % label-flip', faulty: all('label-flip', FIFTH) },
  { name: '20 % noise', faulty: all('noise', FIFTH) },
  { name: '20 % NaN', faulty: all('nan', FIFTH) },
  { name: '20 % lazy: noise of the right norm', faulty: all('lazy-noise', FIFTH) },
  { name: '20 % lazy: one push again and again', faulty: all('replay', FIFTH) },
  { name: '20 % lazy: another’s push', faulty: all('copy', FIFTH) },
  { name: '40 % sign-flip', faulty: all('sign-flip', 2 * FIFTH) },
  { name: '40 % ×10', faulty: all('times-ten', 2 * FIFTH) },
  { name: '40 % constant', faulty: all('constant', 2 * FIFTH) },
  { name: '40 % label-flip', faulty: all('label-flip', 2 * FIFTH) },
  { name: '40 % noise', faulty: all('noise', 2 * FIFTH) },
  { name: '40 % lazy: noise of the right norm', faulty: all('lazy-noise', 2 * FIFTH) },
  { name: '40 % lazy: one push again and again', faulty: all('replay', 2 * FIFTH) },
  { name: '40 % lazy: another’s push', faulty: all('copy', 2 * FIFTH) },
  { name: '20 % flood, sign-flip', faulty: all('sign-flip', FIFTH, { speed: FLOOD_SPEED }) },
  { name: '20 % flood, label-flip', faulty: all('label-flip', FIFTH, { speed: FLOOD_SPEED }) },
  { name: '40 % flood, sign-flip', faulty: all('sign-flip', 2 * FIFTH, { speed: FLOOD_SPEED }) },
  { name: '40 % flood, label-flip', faulty: all('label-flip', 2 * FIFTH, { speed: FLOOD_SPEED }) },
  { name: '20 % sleepers, constant from half-time', faulty: all('constant', FIFTH, { fromMs: HALF_MS }) },
  { name: '20 % sleepers, sign-flip from half-time', faulty: all('sign-flip', FIFTH, { fromMs: HALF_MS }) },
  { name: '40 % sleepers, constant from half-time', faulty: all('constant', 2 * FIFTH, { fromMs: HALF_MS }) },
  { name: '40 % sleepers, sign-flip from half-time', faulty: all('sign-flip', 2 * FIFTH, { fromMs: HALF_MS }) },
  { name: 'the first 50 pushes constant', faulty: all('constant', FIFTH), honestAfterMs: FIFTY_PUSHES_MS },
  { name: 'the first 50 pushes sign-flip', faulty: all('sign-flip', FIFTH), honestAfterMs: FIFTY_PUSHES_MS },
];

/** As every run has them unless it says otherwise. */
const FULL: Defences = runSchema.shape.defences.parse(undefined);
const NONE = 'no defence';
const CLIP = 'clip only';
const WHOLE = 'all defences';
const DEFENCES: readonly (readonly [string, Defences])[] = [
  [NONE, NO_DEFENCES],
  [CLIP, { ...NO_DEFENCES, clip: FULL.clip }],
  [WHOLE, FULL],
];

const FLEET: Fleet = {
  ...HOMOGENEOUS,
  name: 'strangers',
  machines: { kind: 'log-normal', sigma: 0.4 },
  leasesPerWorker: 2,
  order: 'sharded',
};

const label = (attack: string, defence: string): string => `${attack}; ${defence}`;

function scenarios({ reduced, seeds }: { reduced: boolean; seeds: number }): Scenario[] {
  const attacks = reduced ? ATTACKS.filter(({ name }) => [CLEAN, '20 % sign-flip', '40 % constant'].includes(name)) : ATTACKS; // prettier-ignore
  return attacks.flatMap(({ name, faulty, honestAfterMs = 0, learningRate = LEARNING_RATE }) =>
    DEFENCES.flatMap(([defence, defences]) =>
      Array.from({ length: seeds }, (_, i): Scenario => {
        const schedule = { warmup: { epochs: 1, from: 0.1 }, decay: { kind: 'step', epochs: [5, 7], factor: 0.1 } } as const; // prettier-ignore
        return {
          label: label(name, defence),
          method: { name: 'gap-aware', learningRate, weightDecay: 1e-4, momentum: 0.9, schedule },
          workers: WORKERS,
          seed: i + 1,
          fleet: { ...FLEET, byzantine: faulty, honestAfterMs },
          problem: PROBLEM,
          batchSize: BATCH,
          epochs: EPOCHS,
          defences,
          evaluateEveryVersions: 50,
          finalTest: true,
        };
      }),
    ),
  );
}

type Figure = (attack: string, defence: string) => number;
const figureOf =
  (rows: readonly RunRow[], of: (row: RunRow) => number | null): Figure =>
  (attack, defence) =>
    meanOf(rows, { method: label(attack, defence), workers: WORKERS }, of);

const liarsOf = (attack: string): number =>
  ATTACKS.find(({ name }) => name === attack)!.faulty.reduce((sum, { workers }) => sum + workers, 0);
const present = (rows: readonly RunRow[]): Attack[] =>
  ATTACKS.filter(({ name }) => rows.some(({ method }) => method === label(name, WHOLE)));
/** The largest of a part of the pushes that liars had made when they were banned; null when none was. */
function pushesAtBan(rows: readonly RunRow[], attack: string, part: number): number | null {
  const pushes = rows.filter(({ method }) => method === label(attack, WHOLE)).flatMap(({ bans }) => bans.pushes);
  return pushes.length === 0 ? null : pushes.sort((a, b) => a - b)[Math.ceil(part * pushes.length) - 1]!;
}

function tables(rows: readonly RunRow[]): string {
  const accuracy = figureOf(rows, accuracyOf);
  const lying = figureOf(rows, ({ bans }) => bans.lying);
  const honest = figureOf(rows, ({ bans }) => bans.honest);
  const back = figureOf(rows, ({ rollbacks }) => rollbacks);
  const head = [
    'attack',
    NONE,
    CLIP,
    WHOLE,
    'liars banned',
    'after pushes (median, 90 %)',
    'honest banned',
    'roll-backs',
  ];
  const lines = present(rows).map(({ name }) => [
    name,
    ...[NONE, CLIP, WHOLE].map((defence) => accuracy(name, defence).toFixed(1)),
    liarsOf(name) === 0 ? '–' : `${lying(name, WHOLE).toFixed(1)} of ${liarsOf(name)}`,
    [0.5, 0.9].map((part) => pushesAtBan(rows, name, part) ?? '–').join(', '),
    honest(name, WHOLE).toFixed(1),
    back(name, WHOLE).toFixed(1),
  ]);
  return `Test accuracy, %, means over the seeds:\n\n${markdown(head, lines)}`;
}

/** What is promised of 20 %, of 40 %, and of those who turn late; points below the clean run without a defence. */
const MODELS = ['sign-flip', '×10', 'constant', 'label-flip', 'NaN'];
const LAZY = ['lazy: noise of the right norm', 'lazy: one push again and again', 'lazy: another’s push'];
const SLEEPERS = ['sleepers, constant from half-time', 'sleepers, sign-flip from half-time'];
const both = (kinds: readonly string[]): string[] => ['20 %', '40 %'].flatMap((part) => kinds.map((kind) => `${part} ${kind}`)); // prettier-ignore
function checks(rows: readonly RunRow[]): Check[] {
  const accuracy = figureOf(rows, accuracyOf);
  const lying = figureOf(rows, ({ bans }) => bans.lying);
  const honest = figureOf(rows, ({ bans }) => bans.honest);
  const worst = figureOf(rows, ({ worstLossRatio }) => worstLossRatio ?? Infinity);
  const names = present(rows).map(({ name }) => name);
  const below = (attack: string): number => accuracy(CLEAN, NONE) - accuracy(attack, WHOLE);
  const within = (bound: number, attacks: readonly string[]): Check[] =>
    attacks.filter((name) => names.includes(name)).map((name) => atMost(`${name}: within ${bound} points of the run without liars or defences`, below(name), bound, ' points below')); // prettier-ignore
  const fifths = MODELS.map((model) => `20 % ${model}`);
  const starts = ['the first 50 pushes constant', 'the first 50 pushes sign-flip'].filter((name) =>
    names.includes(name),
  );
  const twoFifths = ['40 % sign-flip', '40 % ×10', '40 % constant', '40 % label-flip'];
  const found = [...fifths, ...twoFifths, ...both(LAZY)];
  return [
    atMost('nobody lies: the defences cost at most 1.5 points', accuracy(CLEAN, NONE) - accuracy(CLEAN, WHOLE), 1.5, ' points'), // prettier-ignore
    ...within(1.5, fifths),
    ...within(5, twoFifths),
    ...within(3, both(SLEEPERS)),
    ...found
      .filter((name) => names.includes(name))
      .map((name) => atLeast(`${name}: at least 90 % of the liars are banned`, (100 * lying(name, WHOLE)) / liarsOf(name), 90, ' %')), // prettier-ignore
    ...fifths
      .filter((name) => names.includes(name))
      .map((name) => atMost(`${name}: nine of ten banned within 40 of their pushes`, pushesAtBan(rows, name, 0.9) ?? Infinity, 40, ' pushes')), // prettier-ignore
    atMost(
      'of honest workers fewer than 1 % are banned',
      (100 * names.reduce((sum, name) => sum + honest(name, WHOLE), 0)) /
        names.reduce((sum, name) => sum + WORKERS - liarsOf(name), 0),
      1,
      ' %',
    ),
    ...starts.flatMap((name) => [
      atLeast(`${name}: at least 98 % of the accuracy without liars`, (100 * accuracy(name, WHOLE)) / accuracy(CLEAN, NONE), 98, ' %'), // prettier-ignore
      atMost(`${name}: the validation loss is never 10 % above the first`, worst(name, WHOLE), 1.1, '×'),
    ]),
  ];
}

export const ATTACKED: TableExperiment = {
  kind: 'table',
  name: 'attacks',
  title: 'Liars among the workers',
  about:
    'Fashion-MNIST averaged to 14×14, 24,000 training samples, LayerNorm MLP 196-64-32-10, gap-aware, learning rate 0.05 where nothing else is said, momentum 0.9, batches of 64, 8 epochs; 25 workers of log-normal speeds (σ = 0.4), two leases each. A flood: the liars are 16 times as fast. The defences are those of a run file that says nothing of them.',
  scenarios,
  tables,
  checks,
};
