// What a lease of local steps asks for: H inner steps, a batch each, with the inner optimizer's settings. The steps
// themselves are in shared/inner.ts, on the worker.

import type { InnerOptimizer, LocalWork } from '../../shared/protocol/lease.ts';
import { BATCHES_MAX } from '../../shared/protocol/limits.ts';
import type { ChoiceParameter, Hyperparameters, NumberParameter } from './hyperparameters.ts';
import type { Push } from './method.ts';
import type { State } from './state.ts';

/** When a lease is made. */
export interface LeaseMoment {
  readonly worker: string;
  /** η by the schedule now, and its peak. */
  readonly learningRate: number;
  /** Epochs consumed, as the schedule counts them. */
  readonly epochs: number;
}

export interface LocalSteps {
  readonly kind: 'local';
  readonly state: State;
  /** True when each lease's shard is drawn by what is left of the shards, not where its worker was last. */
  readonly drawsShards: boolean;
  /** Batches of the worker's next lease. */
  batches(at: LeaseMoment): number;
  /** What the worker is told, but for what is the run's: learning rate and weight decay. */
  readonly inner: Omit<LocalWork, 'kind' | 'learningRate' | 'weightDecay' | 'seed'>;
  /** Told of every push that was taken in. */
  observe?(push: Push): void;
  /** The worker has left: drop what was remembered of it. */
  forget?(worker: string): void;
}

const LOCAL_STEPS = {
  kind: 'number',
  symbol: 'H',
  description: 'Inner steps of a lease, a batch each.',
  default: 20,
  min: 1,
  max: BATCHES_MAX,
  integer: true,
} as const satisfies NumberParameter;

/** How many inner steps, and the inner optimizer: of every method of local steps. */
export const INNER = {
  localSteps: LOCAL_STEPS,
  innerOptimizer: {
    kind: 'choice',
    description: 'Optimizer of the worker. Its memory stays with the worker from lease to lease.',
    default: 'sgd',
    choices: ['sgd', 'momentum', 'adamw'],
  },
  innerMomentum: {
    kind: 'number',
    symbol: 'γ',
    description: 'Momentum of the inner optimizer “momentum”.',
    default: 0.9,
    min: 0,
    below: 1,
  },
  beta1: { kind: 'number', symbol: 'β₁', description: 'Of the inner AdamW.', default: 0.9, min: 0, below: 1 },
  beta2: { kind: 'number', symbol: 'β₂', description: 'Of the inner AdamW.', default: 0.999, min: 0, below: 1 },
} as const satisfies Hyperparameters;

/** Another default inner optimizer. */
export const ADAMW = { ...INNER.innerOptimizer, default: 'adamw' } as const satisfies ChoiceParameter;

/** The quadratic synchronization rule, of the methods that synchronize. Gu et al. (2024), arXiv 2310.14423. */
export const SYNCHRONIZATION = {
  stepsRule: {
    kind: 'choice',
    description:
      'Always H = localSteps (constant), or max(localSteps, ⌊(α/η)²⌋), so that rounds get longer as η falls (qsr).',
    default: 'constant',
    choices: ['constant', 'qsr'],
  },
  qsrAlpha: {
    kind: 'number',
    symbol: 'α',
    description: 'Growth of the rule qsr; depends on the scale of the learning rate.',
    default: 0.1,
    min: 0,
  },
} as const satisfies Hyperparameters;

interface InnerValues {
  readonly innerOptimizer: 'sgd' | 'momentum' | 'adamw';
  readonly innerMomentum: number;
  readonly beta1: number;
  readonly beta2: number;
}

/** Keeps Adam's step finite; the same in every paper. */
const ADAM_EPSILON = 1e-8;

export function innerOptimizer(h: InnerValues): InnerOptimizer {
  switch (h.innerOptimizer) {
    case 'sgd':
      return { name: 'sgd' };
    case 'momentum':
      return { name: 'momentum', momentum: h.innerMomentum };
    case 'adamw':
      return { name: 'adamw', beta1: h.beta1, beta2: h.beta2, epsilon: ADAM_EPSILON };
    default:
      return h.innerOptimizer satisfies never;
  }
}

/** The same H for every worker, by any rule of the moment. */
export function localSteps(h: InnerValues, steps: (at: LeaseMoment) => number): LocalSteps {
  return { kind: 'local', state: {}, drawsShards: false, batches: steps, inner: { optimizer: innerOptimizer(h) } };
}

/** H by the rule that was chosen; never more than fits in a lease. */
export function stepsByRule(h: {
  readonly localSteps: number;
  readonly stepsRule: 'constant' | 'qsr';
  readonly qsrAlpha: number;
}): (at: LeaseMoment) => number {
  if (h.stepsRule === 'constant') return () => h.localSteps;
  return ({ learningRate }) => {
    const grown = Math.floor((h.qsrAlpha / learningRate) ** 2);
    return Math.min(BATCHES_MAX, Math.max(h.localSteps, grown));
  };
}

/**
 * Dynamic local updates (DyLU): H in proportion to the worker's speed, so that all finish together: ⌊v/max v · H⌋ with v in
 * steps a second. Liu et al. (2024), section 4.2. A worker of unknown speed gets one step, to measure it: with H at first,
 * the slow would be out of step with the fast for good, by more than any grace period.
 */
export function dynamicSteps(h: InnerValues & { readonly localSteps: number; readonly dynamic: boolean }): LocalSteps {
  /** Steps a millisecond, by the coordinator's clock. */
  const speeds: { [worker: string]: number } = {};
  return {
    ...localSteps(h, ({ worker }) => {
      const speed = speeds[worker];
      if (!h.dynamic) return h.localSteps;
      if (speed === undefined) return 1;
      return Math.max(1, Math.floor((speed / Math.max(...Object.values(speeds))) * h.localSteps));
    }),
    state: { speeds },
    observe: ({ worker, batches, turnaroundMs }) => {
      if (turnaroundMs <= 0) return;
      const speed = batches / turnaroundMs;
      speeds[worker] = speeds[worker] === undefined ? speed : (speeds[worker] + speed) / 2;
    },
    forget: (worker) => void delete speeds[worker],
  };
}
