// Gathers: when do we have enough pushes for an update?

import { zeros, type Vec } from '../../shared/precision.ts';
import { combine, type RobustValues } from './combine.ts';
import type { Gather } from './method.ts';

/** Every push is an update. */
export function each(): Gather {
  // Set between add and take alone, within one call of the aggregator: nothing to remember, and no copy.
  let pending: { update: Vec; worker: string } | null = null;
  return {
    state: {},
    immediate: true,
    add: (g, { worker }) => {
      pending = { update: g, worker };
      return null;
    },
    ready: () => pending !== null,
    deadlineMs: () => null,
    take: () => {
      if (pending === null) throw new Error('invariant violation: nothing to take');
      const taken = pending;
      pending = null;
      return taken;
    },
  };
}

/** A buffer: the mean, or what was chosen, of so many pushes, whoever sent them; of those there are when no more come. */
export function buffer(dim: number, by: Partial<RobustValues> & { bufferSize: number }): Gather {
  const combined = combine(dim, by, by.bufferSize);
  const state = { pushes: 0, combined: combined.state };
  const update = zeros(dim);
  return {
    state,
    immediate: false,
    compares: combined.compares,
    add: (g, _push, trust = 1) => {
      state.pushes += 1;
      combined.add(g, 1, trust);
      return null;
    },
    ready: (_nowMs, { closing }) => state.pushes >= by.bufferSize || (closing === true && state.pushes > 0),
    deadlineMs: () => null,
    take: () => {
      combined.take(update);
      state.pushes = 0;
      return { update, worker: '' };
    },
  };
}

/**
 * A round: the mean, or what was chosen, of everyone's push at one version; a mean is by samples unless `equally`. Complete
 * when no lease of this version is outstanding; or when, `deadlineMs` after its first push, at least `quorum` of those who
 * took part have pushed. Without the deadline one silent worker would stop the run; without the quorum one fast worker would
 * be the run. With `rated` it says the inner learning rate too.
 */
export function round(
  dim: number,
  by: Partial<RobustValues> & { quorum: number; deadlineMs: number; equally?: boolean; rated?: boolean },
): Gather {
  // overdue: 1 when the deadline has passed without a quorum, and only another push, or another that ends, can help
  const combined = combine(dim, by);
  const rates = by.rated ? { samples: 0, sum: 0 } : null;
  const state = { pushes: 0, openedAtMs: 0, overdue: 0, combined: combined.state, ...(rates && { rates }) };
  const update = zeros(dim);
  return {
    state,
    immediate: false,
    together: true,
    compares: combined.compares,
    add: (g, { samples, nowMs, innerLearningRate }, trust = 1) => {
      if (state.pushes === 0) state.openedAtMs = nowMs;
      state.pushes += 1;
      if (rates) {
        rates.samples += samples;
        rates.sum += samples * innerLearningRate;
      }
      combined.add(g, by.equally ? 1 : samples, trust);
      return null;
    },
    ready: (nowMs, { outstanding }) => {
      if (state.pushes === 0) return false;
      if (outstanding === 0) return true;
      if (nowMs < state.openedAtMs + by.deadlineMs) return false;
      state.overdue = 1;
      return state.pushes >= by.quorum * (state.pushes + outstanding);
    },
    deadlineMs: () => (state.pushes === 0 || state.overdue === 1 ? null : state.openedAtMs + by.deadlineMs),
    take: () => {
      combined.take(update);
      state.pushes = 0;
      state.overdue = 0;
      const taken = { update, worker: '', ...(rates?.samples && { innerLearningRate: rates.sum / rates.samples }) };
      if (rates) Object.assign(rates, { samples: 0, sum: 0 });
      return taken;
    },
  };
}
