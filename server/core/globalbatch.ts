// Global batch aggregation: every update is of M gradients, whether they came in lockstep or as they may, so that one set
// of hyper-parameters serves both and a run can change from one to the other at any update.
//
// Each batch has a token, the update it belongs to: M batches have 0, the next M have 1, and so on in the order of leasing.
// A batch that is more than ι updates late counts for nothing, but it counts.

import { axpy, copy, scale, zero } from '../../shared/vec.ts';
import type { Gate, Gather, Push } from './method.ts';
import { asyncBatchesPerMs, syncBatchesPerMs } from './throughput.ts';

export interface GlobalBatchOptions {
  /** M */
  readonly bufferSize: number;
  /** ι */
  readonly maxStaleness: number;
  readonly mode: 'async' | 'sync' | 'auto';
  /** With auto: asynchronous when the synchronous throughput is below 1 − h of it, back when above 1 − h/2. */
  readonly hysteresis: number;
  /** With auto: updates in a row that must agree before the mode changes. */
  readonly window: number;
}

/** Smoothing of a worker's time a batch: the mean of about its last ten. */
const KEEP = 0.9;

export function globalBatch(dim: number, by: GlobalBatchOptions): { gate: Gate; gather: Gather } {
  const { bufferSize, maxStaleness } = by;
  const state = {
    updates: 0,
    pushes: 0,
    sync: by.mode === 'async' ? 0 : 1,
    /** Updates in a row after which the other mode looked better. */
    votes: 0,
    sum: new Float32Array(dim),
    /** By worker: its time a batch, and when it last pushed. */
    batchMs: {} as { [worker: string]: number },
    pushedAtMs: {} as { [worker: string]: number },
  };
  const mean = new Float32Array(dim);
  let note: string | null = null;

  /** A worker computes one batch at a time: it began with this one when it had it and was done with the one before. */
  const clock = ({ worker, nowMs, turnaroundMs }: Push): void => {
    const beganMs = Math.max(nowMs - turnaroundMs, state.pushedAtMs[worker] ?? -Infinity);
    state.pushedAtMs[worker] = nowMs;
    if (nowMs <= beganMs) return;
    const known = state.batchMs[worker];
    state.batchMs[worker] = known === undefined ? nowMs - beganMs : KEEP * known + (1 - KEEP) * (nowMs - beganMs);
  };
  const consider = (): void => {
    const times = Object.values(state.batchMs).sort((a, b) => a - b);
    if (times.length === 0) return;
    const ratio = syncBatchesPerMs(times, bufferSize) / asyncBatchesPerMs(times);
    const other = state.sync === 1 ? ratio < 1 - by.hysteresis : ratio > 1 - by.hysteresis / 2;
    state.votes = other ? state.votes + 1 : 0;
    if (state.votes < by.window) return;
    state.sync = 1 - state.sync;
    state.votes = 0;
    const percent = Math.round(100 * ratio);
    note = `${state.sync === 1 ? 'synchronous' : 'asynchronous'} from update ${state.updates} on: in lockstep the workers would do ${percent} % of what they do without`;
  };

  const gather: Gather = {
    state,
    immediate: false,
    add: (g, push) => {
      state.pushes += 1;
      clock(push);
      const token = Math.floor(push.sequence / bufferSize);
      if (state.updates - token <= maxStaleness) axpy(state.sum, 1, g);
    },
    ready: (_nowMs, { closing }) => state.pushes >= bufferSize || (closing === true && state.pushes > 0),
    deadlineMs: () => null,
    take: () => {
      copy(mean, state.sum);
      scale(mean, 1 / state.pushes);
      zero(state.sum);
      state.pushes = 0;
      state.updates += 1;
      if (by.mode === 'auto') consider();
      return { update: mean, worker: '' };
    },
    forget: (worker) => {
      delete state.batchMs[worker];
      delete state.pushedAtMs[worker];
    },
    note: () => {
      const said = note;
      note = null;
      return said;
    },
  };
  // In lockstep no more is leased than this update takes, so that every gradient is of the current θ.
  const gate: Gate = { decide: ({ inFlight }) => state.sync === 0 || inFlight + state.pushes < bufferSize };
  return { gate, gather };
}
