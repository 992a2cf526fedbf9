// Gates: may this worker start now?

import type { Gate } from './method.ts';

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
 * began, so that they start from the same θ. The period is `part` of the shortest turnaround seen. Liu et al. (2024),
 * Algorithm 2; without it workers that finish together start from as many different θ.
 */
export function gracePeriod(by: { gracePart: number; localSteps: number }): Gate {
  // Of one batch, not of a lease: the last leases of an epoch are short.
  const state = { untilMs: -1, batchMs: 0 };
  return {
    state,
    decide: ({ nowMs }) => {
      if (nowMs >= state.untilMs) state.untilMs = -1;
      return state.untilMs < 0;
    },
    observe: ({ nowMs, turnaroundMs, batches }) => {
      const batchMs = turnaroundMs / batches;
      if (batchMs > 0 && (state.batchMs === 0 || batchMs < state.batchMs)) state.batchMs = batchMs;
      if (nowMs >= state.untilMs) state.untilMs = nowMs + by.gracePart * by.localSteps * state.batchMs;
    },
    deadlineMs: () => (state.untilMs < 0 ? null : state.untilMs),
  };
}
