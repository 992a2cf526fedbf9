// What is said about work: a lease out, a push back, and what comes of it. All JSON; the vectors travel in frames.

import type { Batch } from '../data/spec.ts';
import type { RejectReason, UnusedReason } from './reasons.ts';

/**
 * What a lease asks for. One gradient: the mean over the samples of its one batch, at the parameters it came with. Local
 * steps: an inner step on each of its batches in turn, returned as the pseudo-gradient Δ = θ_base − θ_local.
 */
export type Work = { readonly kind: 'gradient' } | LocalWork;

export type InnerOptimizer =
  /** x ← x − ηg */
  | { readonly name: 'sgd' }
  /** v ← γv + g; x ← x − ηv */
  | { readonly name: 'momentum'; readonly momentum: number }
  /** Adam with bias correction, and the weight decay apart from it: x ← x − η·wd·x first. */
  | { readonly name: 'adamw'; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

/** The inner optimizer's memory stays with the worker from lease to lease, for as long as its optimizer is the same. */
export interface LocalWork {
  readonly kind: 'local';
  readonly optimizer: InnerOptimizer;
  readonly learningRate: number;
  /** For sgd and momentum: g ← g + wd·x. */
  readonly weightDecay: number;
  /** A longer gradient is scaled down to this norm. */
  readonly clipNorm?: number;
  /**
   * Before each step, again and again with this probability: x ← x − (η/p)·rate·(x − θ_base); and the inner learning rate
   * is η/(1−p). Drawn from `seed`.
   */
  readonly mixing?: { readonly probability: number; readonly rate: number };
  /** The worker keeps its own x from lease to lease, and begins each with x ← x − rate·(x − θ_base). */
  readonly elastic?: { readonly rate: number };
  readonly seed: number;
}

/** What a push of this work is, as its frame says. */
export type PushKind = 'gradient' | 'pseudo-gradient';
export const pushKindOf = (work: Work): PushKind => (work.kind === 'local' ? 'pseudo-gradient' : 'gradient');

/** What a push must say of itself to answer an open lease. */
export interface OpenLease {
  readonly baseVersion: number;
  readonly kind: PushKind;
}

/** The right to one push, until a deadline that only the coordinator's clock knows. */
export interface Lease {
  readonly id: string;
  /** The version of θ that the parameters were made from; the push's frame repeats it. */
  readonly baseVersion: number;
  readonly epoch: number;
  readonly work: Work;
  readonly batches: readonly Batch[];
}

/** What comes instead of a lease. */
export type Next =
  | { readonly kind: 'lease'; readonly lease: Lease }
  /** Nothing to do now: ask again after this long, or when the control plane says so. */
  | { readonly kind: 'wait'; readonly retryAfterMs: number; readonly reason: WaitReason }
  /** Do not ask again. */
  | { readonly kind: 'stop'; readonly reason: 'finished' | 'stopped' | 'banned' };

export const WAIT_REASONS = [
  'paused', // by the operator
  'gate', // the method does not let this worker start yet
  'lease-limit', // it already holds as many leases as it may
  'busy', // the coordinator has more to do than it can
  'leaving', // the coordinator is about to stop, and will be back
  'no-work', // every sample left in the run is leased to others
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/**
 * What became of a push. `applied`: θ moved. `buffered`: kept for a later update. `rejected`: refused, see `reason`. With a
 * `reason` the others are of a push that counted for nothing: a worker may ignore that.
 * A push sent again after a lost answer gets the first answer again, and is not counted twice.
 */
export type Outcome = 'applied' | 'buffered' | 'rejected';

export interface PushReply {
  readonly outcome: Outcome;
  readonly reason?: RejectReason | UnusedReason;
  /** True when this lease was already settled: nothing changed now. */
  readonly repeated: boolean;
  /** θ's version afterwards. */
  readonly version: number;
  readonly lag: number;
  readonly gap: number;
  readonly next: Next;
}

export interface PullReply {
  readonly next: Next;
}
