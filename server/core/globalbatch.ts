// Global batch aggregation: every update is of M gradients, whether they came in lockstep or as they may, so that one set
// of hyper-parameters serves both and a run can change from one to the other at any update.
//
// Each batch has a token, the update it belongs to: M batches have 0, the next M have 1, and so on in the order of leasing.
// A batch that is more than ι updates late counts for nothing, but it counts; its worker is told.

import { zeros } from '../../shared/precision.ts';
import { combine, type RobustValues } from './combine.ts';
import type { Gate, Gather, Push } from './method.ts';
import { byWorker, type State as StateTree } from './state.ts';
import { asyncBatchesPerMs, syncBatchesPerMs } from './throughput.ts';

export interface GlobalBatchOptions extends Partial<RobustValues> {
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

type State = {
  updates: number;
  pushes: number;
  /** 1 in lockstep, 0 without. */
  sync: number;
  /** Updates in a row after which the other mode looked better. */
  votes: number;
  /** What the pushes come to so far. */
  combined: StateTree;
  /** By worker: its time a batch, and when it last pushed. */
  batchMs: { [worker: string]: number };
  /** And how far, on average, one is from that. */
  spreadMs: { [worker: string]: number };
  pushedAtMs: { [worker: string]: number };
};

/** The two axes of it, on one memory: the gather's. */
export function globalBatch(dim: number, by: GlobalBatchOptions): { gate: Gate; gather: Gather } {
  const { bufferSize, maxStaleness } = by;
  const combined = combine(dim, by, bufferSize);
  const sync = by.mode === 'async' ? 0 : 1;
  const state: State = {
    updates: 0,
    pushes: 0,
    sync,
    votes: 0,
    combined: combined.state,
    batchMs: byWorker(),
    spreadMs: byWorker(),
    pushedAtMs: byWorker(),
  };
  const update = zeros(dim);
  let note: string | null = null;
  const gather: Gather = {
    state,
    immediate: false,
    compares: combined.compares,
    add: (g, push, trust = 1) => {
      state.pushes += 1;
      clock(state, push.worker, push);
      const token = Math.floor(push.sequence / bufferSize);
      if (state.updates - token > maxStaleness) {
        combined.addNothing();
        return 'past-token';
      }
      combined.add(g, 1, trust);
      return null;
    },
    ready: (_nowMs, { closing }) => state.pushes >= bufferSize || (closing === true && state.pushes > 0),
    deadlineMs: () => null,
    take: () => {
      combined.take(update);
      state.pushes = 0;
      state.updates += 1;
      if (by.mode === 'auto') note = reconsider(state, by) ?? note;
      return { update, worker: '' };
    },
    late: (worker, at) => clock(state, worker, at),
    forget: (worker) => {
      delete state.batchMs[worker];
      delete state.spreadMs[worker];
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

/** Smoothing of a worker's time a batch: the mean of about its last ten. */
const KEEP = 0.9;

/** A worker computes one batch at a time: it began with this one when it had it and was done with the one before. */
function clock(state: State, worker: string, { nowMs, turnaroundMs }: Pick<Push, 'nowMs' | 'turnaroundMs'>): void {
  const beganMs = Math.max(nowMs - turnaroundMs, state.pushedAtMs[worker] ?? -Infinity);
  state.pushedAtMs[worker] = nowMs;
  if (nowMs <= beganMs) return;
  const ms = nowMs - beganMs;
  const { [worker]: mean = ms } = state.batchMs;
  const { [worker]: spread = 0 } = state.spreadMs;
  state.spreadMs[worker] = KEEP * spread + (1 - KEEP) * Math.abs(ms - mean);
  state.batchMs[worker] = KEEP * mean + (1 - KEEP) * ms;
}

/** Changes the mode when the other has looked better for long enough; then says so. */
function reconsider(state: State, { bufferSize, hysteresis, window }: GlobalBatchOptions): string | null {
  const paces = Object.entries(state.batchMs).map(([worker, meanMs]) => ({
    meanMs,
    spreadMs: state.spreadMs[worker]!,
  }));
  if (paces.length === 0) return null;
  paces.sort((a, b) => a.meanMs - b.meanMs);
  const ratio = syncBatchesPerMs(paces, bufferSize) / asyncBatchesPerMs(paces);
  const other = state.sync === 1 ? ratio < 1 - hysteresis : ratio > 1 - hysteresis / 2;
  state.votes = other ? state.votes + 1 : 0;
  if (state.votes < window) return null;
  state.sync = 1 - state.sync;
  state.votes = 0;
  const mode = state.sync === 1 ? 'synchronous' : 'asynchronous';
  return `${mode} from its update ${state.updates} on: in lockstep the workers do ${Math.round(100 * ratio)} % of what they do without`;
}
