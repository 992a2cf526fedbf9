// An experiment: a table of runs, or exact figures, with what it must show. Presets only; the simulator does the work.

import type { TopLevelSpec } from 'vega-lite';
import type { MethodConfig } from '../../../shared/config.ts';
import type { Schedule } from '../../../shared/schedule.ts';
import type { Method } from '../../core/method.ts';
import type { Fleet } from '../fleet.ts';
import type { RunRow } from '../row.ts';
import type { ProblemSpec, Scenario } from '../scenario.ts';

/** Something that the figures must show, and whether they do. */
export interface Check {
  readonly claim: string;
  readonly found: string;
  readonly passed: boolean;
  /** Why the claim does not hold here, where that is known and written down: it is still made, and still printed. */
  readonly knownMiss?: string;
}

/** The claims that came out otherwise than is written down: new misses, and known ones that hold after all. */
export const unexpected = (checks: readonly Check[]): Check[] =>
  checks.filter(({ passed, knownMiss }) => passed === (knownMiss !== undefined));

export interface Size {
  /** Small enough for every change: fewer runs, the same claims as far as they can be made. */
  readonly reduced: boolean;
  readonly seeds: number;
}

interface About {
  /** What a user types. */
  readonly name: string;
  readonly title: string;
  /** Settings, and where they come from. */
  readonly about: string;
  /** As many as its claims need, where that is not three. */
  readonly seeds?: number;
}

/** Runs that the runner makes and the table shows. */
export interface TableExperiment extends About {
  readonly kind: 'table';
  scenarios(size: Size): Scenario[];
  checks(rows: readonly RunRow[]): Check[];
  /** Its own tables as Markdown; that of accuracy by workers when absent. */
  tables?(rows: readonly RunRow[]): string;
  /** A table more, as Markdown, after those. */
  details?(rows: readonly RunRow[]): string;
  /** Its own plot; that of any comparison when absent. */
  plot?(rows: readonly RunRow[]): TopLevelSpec;
}

/** Figures that have a formula to be held against. */
export interface ExactExperiment extends About {
  readonly kind: 'exact';
  measure(methods: ReadonlyMap<string, Method>, size: Size): Promise<ExactReport>;
}

export interface ExactReport {
  readonly markdown: string;
  readonly plot: TopLevelSpec;
  readonly data: readonly unknown[];
  readonly checks: readonly Check[];
}

export type Experiment = TableExperiment | ExactExperiment;

/** One line of a table: a method with its settings. */
export interface Contender {
  readonly label?: string;
  readonly name: string;
  readonly set?: Readonly<Record<string, number | string>>;
}

export interface Grid {
  readonly contenders: readonly Contender[];
  readonly workers: readonly number[];
  readonly seeds: number;
  readonly fleet: Fleet;
  readonly problem: ProblemSpec;
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly schedule: (workers: number) => Schedule;
}

/** Every contender with every number of workers and every seed. */
export function grid({ contenders, workers, seeds, learningRate, weightDecay, schedule, ...rest }: Grid): Scenario[] {
  const { fleet, problem, batchSize, epochs } = rest;
  return contenders.flatMap(({ name, label = name, set = {} }) =>
    workers.flatMap((count) =>
      Array.from({ length: seeds }, (_, i): Scenario => {
        const method: MethodConfig = { learningRate, weightDecay, ...set, name, schedule: schedule(count) };
        const data = { fleet, problem, batchSize, epochs };
        return { label, method, workers: count, seed: i + 1, ...data, finalTest: true };
      }),
    ),
  );
}

/** Warm-up from lr/N to lr, then ×0.1 at 60 % and 85 % of the epochs. */
export function warmThenStep(warmupEpochs: number, epochs: number): (workers: number) => Schedule {
  return (workers) => ({
    warmup: { epochs: warmupEpochs, from: 1 / workers },
    decay: { kind: 'step', epochs: [0.6 * epochs, 0.85 * epochs], factor: 0.1 },
  });
}

/** Accuracy in per cent, of the test split where it was read. */
export const accuracyOf = ({ testAccuracy, finalAccuracy }: RunRow): number | null => {
  const ratio = testAccuracy ?? finalAccuracy;
  return ratio === null ? null : 100 * ratio;
};

export function atLeast(claim: string, found: number, bound: number, unit: string): Check {
  return { claim, found: `${found.toFixed(2)}${unit}`, passed: found >= bound };
}

export function atMost(claim: string, found: number, bound: number, unit: string): Check {
  return { claim, found: `${found.toFixed(2)}${unit}`, passed: found <= bound };
}
