// A run as its operator describes it: the schema of a run's YAML file, with every default. The method's own
// hyper-parameters are checked against the method (server/core/hyperparameters.ts); here they are only numbers by name.

import * as z from 'zod/mini';
import { MODEL_NAMES } from './model/spec.ts';
import { DATASET_NAMES } from './data/catalogue.ts';
import type { RunId } from './ids.ts';
import { CODEC_NAMES } from './protocol/frame.ts';
import type { Schedule } from './schedule.ts';

const positiveInt = (max: number) => z.int().check(z.positive(), z.maximum(max));
const positive = z.number().check(z.positive());
const nonnegative = z.number().check(z.nonnegative());
const fraction = z.number().check(z.minimum(0), z.maximum(1));

const scheduleSchema = z.strictObject({
  warmup: z.optional(z.strictObject({ epochs: positive, from: fraction })),
  decay: z.optional(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('constant') }),
      z.strictObject({ kind: z.literal('step'), epochs: z.array(nonnegative), factor: fraction }),
      z.strictObject({ kind: z.literal('cosine'), epochs: positive, floor: fraction }),
    ]),
  ),
});

/** `name`, `learningRate` and `schedule` are every method's; the rest belongs to the one that is named. */
export const methodSchema = z.catchall(
  z.object({
    name: z.string(),
    learningRate: positive,
    weightDecay: z._default(nonnegative, 0),
    schedule: z._default(scheduleSchema, {}),
  }),
  z.union([z.number(), z.string(), z.boolean()]),
);
export interface MethodConfig {
  readonly name: string;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly schedule: Schedule;
  readonly [hyperparameter: string]: unknown;
}

/** Null turns one off. What each does, and why these figures: docs/SECURITY.md. */
const defencesSchema = z.strictObject({
  /** A push longer than this many times the median of the workers' own median norms is scaled down to it. */
  clip: z._default(z.nullable(positive), 1.5),
  /** The first pushes of a worker count only so much. */
  probation: z._default(z.nullable(z.strictObject({ pushes: positiveInt(10_000), weight: fraction })), {
    pushes: 12,
    weight: 0.2,
  }),
  /** No worker has more than this many n-ths of the influence of a window of pushes, with n active workers. */
  influence: z._default(z.nullable(positive), 2),
  /**
   * Cosine of a worker's pushes with the gradient on held-out samples, over its last `window` of them: banned when the
   * mean and three standard errors stay below this part of all workers' median. Never a gate on one push.
   */
  score: z._default(
    z.nullable(z.strictObject({ below: fraction, window: positiveInt(1000), least: positiveInt(1000) })),
    { below: 0.25, window: 40, least: 12 },
  ),
  /** This part of a worker's leases is computed again by the coordinator: of a newcomer, and of one known for long. */
  spotChecks: z._default(z.nullable(z.strictObject({ newcomer: fraction, least: fraction })), {
    newcomer: 0.1,
    least: 0.02,
  }),
  /**
   * A worker is banned after so many pushes that are unfit to use (not finite, too large or too small for float32, of zeros only,
   * of another number of samples than was leased), four good ones making up for one.
   */
  broken: z._default(z.nullable(positiveInt(10_000)), 12),
  /** Back to the last good state when the validation loss is more than this many times the best of the last three. */
  rollback: z._default(z.nullable(z.number().check(z.gt(1))), 1.5),
  /** A push that is later than this many versions an active worker is refused; never one that is less late than `least`. */
  lag: z._default(z.nullable(z.strictObject({ perWorker: positive, least: positiveInt(1_000_000) })), {
    perWorker: 4,
    least: 256,
  }),
});
export type Defences = z.infer<typeof defencesSchema>;
/** For comparisons of methods, where every push is honest. */
export const NO_DEFENCES: Defences = {
  clip: null,
  probation: null,
  influence: null,
  score: null,
  spotChecks: null,
  broken: null,
  rollback: null,
  lag: null,
};

/** Who may be a worker of a run. */
const admissionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('open') }),
  /** Whoever knows the code. */
  z.strictObject({ kind: z.literal('code'), code: z.string().check(z.minLength(6), z.maxLength(64)) }),
  /** Devices by the identifiers of their keys: the ids of their workers. */
  z.strictObject({
    kind: z.literal('list'),
    workers: z.array(z.string().check(z.minLength(1), z.maxLength(64))).check(z.maxLength(10_000)),
  }),
]);
export type AdmissionRule = z.infer<typeof admissionSchema>;

export const runSchema = z.strictObject({
  id: z
    .string()
    .check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected lower-case letters, digits and dashes, at most 40')),
  name: z.string().check(z.minLength(1), z.maxLength(80)),
  dataset: z.enum(DATASET_NAMES),
  model: z.strictObject({
    name: z.enum(MODEL_NAMES),
    /** Widths of the hidden layers; the model's own when absent. */
    hidden: z.optional(z.array(positiveInt(65_536)).check(z.maxLength(16))),
  }),
  method: methodSchema,
  /** Samples of one gradient. */
  batchSize: z._default(positiveInt(4096), 64),
  epochs: z._default(positiveInt(10_000), 10),
  /** Decides the initial parameters and the order of the data. */
  seed: z._default(z.int().check(z.nonnegative()), 1),
  shardSamples: z._default(positiveInt(100_000), 2000),
  codec: z._default(
    z.strictObject({ params: z._default(z.enum(CODEC_NAMES), 'f32'), push: z._default(z.enum(CODEC_NAMES), 'f32') }),
    {
      params: 'f32',
      push: 'f32',
    },
  ),
  /** The validation split is measured every so many versions, and at the end of the run. */
  evaluateEveryVersions: z._default(positiveInt(1_000_000), 200),
  leases: z._default(
    z.strictObject({
      /** Two, so that the exchange of one overlaps the computing of the other. */
      perWorker: z._default(positiveInt(8), 2),
      /** Soft deadline = max(softMinMs, softFactor × the worker's median step); hard = hardFactor × soft. */
      softMinMs: z._default(positiveInt(3_600_000), 15_000),
      softFactor: z._default(positive, 3),
      hardFactor: z._default(positive, 4),
    }),
    { perWorker: 2, softMinMs: 15_000, softFactor: 3, hardFactor: 4 },
  ),
  workersMax: z._default(positiveInt(10_000), 1000),
  /** Of one address, in an open run; `workersPerAddress` says how many where this is absent. */
  workersPerAddressMax: z.optional(positiveInt(10_000)),
  admission: z._default(admissionSchema, { kind: 'open' }),
  defences: z._default(defencesSchema, {
    clip: 1.5,
    probation: { pushes: 12, weight: 0.2 },
    influence: 2,
    score: { below: 0.25, window: 40, least: 12 },
    spotChecks: { newcomer: 0.1, least: 0.02 },
    broken: 12,
    rollback: 1.5,
    lag: { perWorker: 4, least: 256 },
  }),
  /** The run is written down whenever this much time has passed or this many updates have been applied. */
  checkpoints: z._default(
    z.strictObject({
      everyMs: z._default(positiveInt(86_400_000), 60_000),
      everyVersions: z._default(positiveInt(1_000_000), 200),
      /** The latest so many are kept. */
      keep: z._default(z.int().check(z.minimum(2), z.maximum(100)), 5),
    }),
    { everyMs: 60_000, everyVersions: 200, keep: 5 },
  ),
});
/** A run with every default filled in. */
export type RunConfig = Omit<z.infer<typeof runSchema>, 'id' | 'method'> & {
  readonly id: RunId;
  readonly method: MethodConfig;
};

/** An eighth of all, but no fewer than a classroom has: forty machines of three tabs each. */
const CLASSROOM_WORKERS = 120;
export const workersPerAddress = ({
  workersMax,
  workersPerAddressMax,
}: Pick<RunConfig, 'workersMax' | 'workersPerAddressMax'>): number =>
  workersPerAddressMax ?? Math.max(CLASSROOM_WORKERS, Math.ceil(workersMax / 8));
