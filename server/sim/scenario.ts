// Everything that decides one simulated run, as plain data: the same scenario gives the same row, bit for bit.

import { NO_DEFENCES, runSchema, type Defences, type MethodConfig, type RunConfig } from '../../shared/config.ts';
import { asRunId } from '../../shared/ids.ts';
import type { ModelName } from '../../shared/model/spec.ts';
import type { Fleet } from './fleet.ts';

export type ProblemSpec =
  /** ½ Σ h·(θ − c)², with the centre c of each sample drawn around 0. */
  | {
      readonly kind: 'quadratic';
      readonly curvatures: readonly number[];
      readonly noise: number;
      readonly samples: number;
    }
  | { readonly kind: 'logistic'; readonly features: number; readonly samples: number }
  | {
      readonly kind: 'network';
      readonly dataset: string;
      /** Side of the images after average pooling; null: as they are. */
      readonly pool: number | null;
      /** The first so many of the training split; null: all. */
      readonly trainSamples: number | null;
      readonly model: ModelName;
      /** Widths of the hidden layers; null: the model's own. */
      readonly hidden: readonly number[] | null;
      /** True: the network sees bytes as 0 … 1, not centred and scaled by the training split. */
      readonly raw?: true;
    };

/** From then on the run goes on with another method, from the same θ. */
export interface MethodChange {
  /** Counted; need not be whole. */
  readonly afterEpochs: number;
  readonly method: MethodConfig;
}

export interface Scenario {
  /** In tables: the method, and what sets it apart. */
  readonly label: string;
  /** What the run begins with. */
  readonly method: MethodConfig;
  readonly changes?: readonly MethodChange[];
  readonly workers: number;
  /** Decides θ₀, the order of the data, and all that the fleet draws. */
  readonly seed: number;
  readonly fleet: Fleet;
  readonly problem: ProblemSpec;
  readonly batchSize: number;
  readonly epochs: number;
  /** None when absent: methods are compared among honest workers. */
  readonly defences?: Defences;
  /** The validation split is measured by the coordinator too, every so many versions; not at all when absent. */
  readonly evaluateEveryVersions?: number;
  /** A control: see norms.ts. */
  readonly heldNorms?: true;
  /** Read the test split, once, after the end. */
  readonly finalTest: boolean;
}

/** Steps that the run takes if nothing is lost. */
export const stepsOf = ({ epochs, batchSize }: Scenario, samples: number): number =>
  epochs * Math.ceil(samples / batchSize);

/** Longer than any task: in a quiet fleet no lease is overdue, however slow its worker. */
const PATIENT_MS = 3_600_000;
/** Versions that no simulated run comes to. */
const NEVER = 1_000_000;

/**
 * The run's configuration as the coordinator gets it. Leases of fleets that lose nothing are not issued again; the
 * others keep a real run's deadlines.
 */
export function configOf({ method, workers, seed, fleet, batchSize, epochs, ...rest }: Scenario): RunConfig {
  const { defences = NO_DEFENCES, evaluateEveryVersions = NEVER } = rest;
  const { loss, duplication, partitions } = fleet.network;
  const perfect = loss === 0 && duplication === 0 && partitions.length === 0;
  const stays = fleet.churn === null && fleet.outages === undefined;
  const quiet = perfect && stays && fleet.byzantine.length === 0;
  const config = runSchema.parse({
    id: 'simulation',
    name: 'Simulation',
    // The data are the problem's: these two name something only because a run must.
    dataset: 'digits',
    model: { name: 'softmax' },
    method,
    batchSize,
    epochs,
    seed,
    evaluateEveryVersions,
    leases: { perWorker: fleet.leasesPerWorker, ...(quiet && { softMinMs: PATIENT_MS }) },
    defences,
    workersMax: Math.min(10_000, 4 * workers + 100),
  });
  return { ...config, id: asRunId(config.id) };
}
