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
