// Gates: may this worker start now?

import type { Gate } from './method.ts';
import { byWorker } from './state.ts';

/** Asynchronous parallel: always. */
export function asp(): Gate {
  return { decide: () => true };
}

/** Bulk synchronous parallel: one lease a worker a round; whoever has had its turn waits for the next. */
export function bsp(): Gate {
  return { decide: ({ heldThisVersion, settledThisRound }) => heldThisVersion + settledThisRound === 0 };
}

/**
 * With a grace period: who pushes is not sent on at once, but with all who push within the period that the first of them
 * began, so that they start from the same θ. The period is `gracePart` of the time that the longest lease takes the fastest
 * worker. Liu et al. (2024), Algorithm 2; without it workers that finish together start from as many different θ.
 */
export function gracePeriod(by: { gracePart: number }): Gate {
  /** By worker: its time a batch, of about its last two leases. */
  const batchMs = byWorker<number>();
  const state = { untilMs: -1, batches: 0, batchMs };
  return {
    state,
    decide: ({ nowMs }) => {
      if (nowMs >= state.untilMs) state.untilMs = -1;
      return state.untilMs < 0;
    },
    observe: ({ worker, nowMs, turnaroundMs, batches }) => {
      if (turnaroundMs <= 0) return;
      const ms = turnaroundMs / batches;
      batchMs[worker] = batchMs[worker] === undefined ? ms : (batchMs[worker] + ms) / 2;
      state.batches = Math.max(state.batches, batches); // the last leases of an epoch are short
      if (nowMs < state.untilMs) return;
      state.untilMs = nowMs + by.gracePart * state.batches * Math.min(...Object.values(batchMs));
    },
    forget: (worker) => void delete batchMs[worker],
    deadlineMs: () => (state.untilMs < 0 ? null : state.untilMs),
  };
}
