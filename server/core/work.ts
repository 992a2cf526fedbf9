// What a lease of local steps asks for: H inner steps, a batch each, with the inner optimizer's settings. The steps
// themselves are in shared/inner.ts, on the worker.

import type { InnerOptimizer, LocalWork } from '../../shared/protocol/lease.ts';
import { BATCHES_MAX } from '../../shared/protocol/limits.ts';
import type { ChoiceParameter, Hyperparameters, NumberParameter } from './hyperparameters.ts';
import type { Push } from './method.ts';
import { byWorker, type State } from './state.ts';

/** When a lease is made. */
export interface LeaseMoment {
  readonly worker: string;
  readonly nowMs: number;
  /** η by the schedule now, and its peak. */
  readonly learningRate: number;
  /** Epochs consumed, as the schedule counts them. */
  readonly epochs: number;
  /** η has not come to its peak yet. */
  readonly warmingUp: boolean;
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
  /** The rate of `elastic` at a lease, by the workers that there are then. */
  readonly elasticity?: (workers: number) => number;
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
      'Always H = localSteps (constant), or max(localSteps, ⌊(α/η)²⌋), so that rounds get longer as η falls after its warm-up (qsr).',
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

/**
 * H by the rule that was chosen; never more than fits in a lease. While η warms up, H is localSteps by either rule, as in the
 * authors' code: η is small then, and θ moves far all the same.
 */
export function stepsByRule(h: {
  readonly localSteps: number;
  readonly stepsRule: 'constant' | 'qsr';
  readonly qsrAlpha: number;
}): (at: LeaseMoment) => number {
  if (h.stepsRule === 'constant') return () => h.localSteps;
  return ({ learningRate, warmingUp }) => {
    if (warmingUp) return h.localSteps;
    const grown = Math.floor((h.qsrAlpha / learningRate) ** 2);
    return Math.min(BATCHES_MAX, Math.max(h.localSteps, grown));
  };
}

/** A lease asked for in the last quarter of a round begins the next: it is by jitter that it comes early. */
const NEXT_ROUND_FROM = 0.75;
/** Of a product that is a whole number but for the last bits. */
const ROUNDING = 1e-9;

/**
 * Dynamic local updates (DyLU): H in proportion to the worker's speed, so that all finish together: v/max v · H with v in
 * steps a second, rounded down. Liu et al. (2024), section 4.2. Ours: whoever starts in the middle of a round (the first lease, a short one
 * at an epoch's end, a reconnection) gets the steps that are left of it, to finish with the others; by the paper's rule it
 * would be out of step with them for good, by more than any grace period. A worker of unknown speed gets H.
 */
export function dynamicSteps(h: InnerValues & { readonly localSteps: number; readonly dynamic: boolean }): LocalSteps {
  /** Steps a millisecond, by the coordinator's clock. */
  const speeds = byWorker<number>();
  const state = { speeds, roundFromMs: -1 };
  return {
    ...localSteps(h, ({ worker, nowMs }) => {
      const speed = speeds[worker];
      if (!h.dynamic || speed === undefined) return h.localSteps;
      const roundMs = h.localSteps / Math.max(...Object.values(speeds));
      const begunMs = nowMs - state.roundFromMs;
      const under = state.roundFromMs >= 0 && begunMs >= 0 && begunMs < NEXT_ROUND_FROM * roundMs;
      if (!under) state.roundFromMs = nowMs;
      return Math.max(1, Math.floor(speed * (under ? roundMs - begunMs : roundMs) + ROUNDING));
    }),
    state,
    observe: ({ worker, batches, turnaroundMs }) => {
      if (turnaroundMs <= 0) return;
      const speed = batches / turnaroundMs;
      speeds[worker] = speeds[worker] === undefined ? speed : (speeds[worker] + speed) / 2;
    },
    forget: (worker) => void delete speeds[worker],
  };
}
