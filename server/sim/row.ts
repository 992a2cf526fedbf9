// What a simulated run leaves behind: one row of JSON. Nothing in it depends on the machine that ran it.

import type { RejectReason } from '../../shared/protocol/reasons.ts';

/** The validation split, at an epoch's end. */
export interface CurvePoint {
  /** Epochs counted. */
  readonly epoch: number;
  readonly samples: number;
  readonly version: number;
  readonly virtualTimeMs: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
}

/**
 * `finished`: every sample was counted. `diverged`: an honest worker's numbers stopped being finite. `stalled`: nothing
 * more came of the work, as when every worker is gone or refused.
 */
export type RunEnd = 'finished' | 'diverged' | 'stalled';

/** A histogram: [bin, pushes], by rising bin. */
export type Histogram = readonly (readonly [number, number])[];

/** Workers that were banned, and the accepted pushes of each liar among them. */
export interface Bans {
  readonly lying: number;
  readonly honest: number;
  readonly pushes: readonly number[];
}

export interface RunRow {
  readonly method: string;
  readonly workers: number;
  readonly seed: number;
  readonly fleet: string;
  /** Of the validation split, at the last measurement; null where nothing is classified. */
  readonly finalAccuracy: number | null;
  /** Null when it is not finite. */
  readonly finalLoss: number | null;
  /** Over accepted pushes. */
  readonly lagMean: number | null;
  readonly gapMean: number | null;
  readonly virtualTimeMs: number;
  /** Counted, each once an epoch. */
  readonly samples: number;
  /** Computed and not counted: refused, superseded, lost, or for a lease that was over. Also those that are in `unusedSamples`. */
  readonly wastedSamples: number;
  /** Counted, of pushes that moved nothing: too late by the method's own rule. None when absent. */
  readonly unusedSamples?: number;
  readonly curve: readonly CurvePoint[];
  readonly end: RunEnd;
  readonly version: number;
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  /** Bins are lags. */
  readonly lags: Histogram;
  /** Bin b holds gaps from 10^(b/10) to 10^((b+1)/10); gaps of 0 are left out. */
  readonly gaps: Histogram;
  readonly bans: Bans;
  readonly rollbacks: number;
  /** Highest validation loss that the coordinator measured, as a multiple of its first; null when it measured none. */
  readonly worstLossRatio: number | null;
  readonly refused: Readonly<Partial<Record<RejectReason, number>>>;
}
