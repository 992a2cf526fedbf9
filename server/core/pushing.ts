// A push as it comes to the aggregator, and what came of it.

import type { PushRejection, UnusedReason } from '../../shared/protocol/reasons.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Sent } from './sent.ts';

export interface PushInput {
  readonly worker: string;
  readonly sent: Sent;
  /** The gradient; overwritten. */
  readonly vector: Vec;
  readonly samples: number;
  readonly nowMs: number;
  /** Since the lease was issued. */
  readonly turnaroundMs?: number;
  /** Of the lease; one when absent. */
  readonly batches?: number;
  /** Of the lease's inner steps; the run's learning rate now when absent. */
  readonly innerLearningRate?: number | undefined;
  /** The place of the lease's work in the order of leasing; work that was issued again keeps it. */
  readonly sequence?: number;
}

export type PushResult = { readonly lag: number; readonly gap: number } & (
  | { readonly outcome: 'applied' | 'buffered'; readonly reason?: UnusedReason }
  | { readonly outcome: 'rejected'; readonly reason: PushRejection }
);
