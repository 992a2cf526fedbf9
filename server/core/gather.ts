// Gathers: when do we have enough pushes for an update?

import { axpy, copy, scale, zero, type Vec } from '../../shared/vec.ts';
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

/** A buffer: the mean of so many pushes, whoever sent them. When no more come, the mean of those there are. */
export function buffer(dim: number, by: { bufferSize: number }): Gather {
  const state = { pushes: 0, sum: new Float32Array(dim) };
  const mean = new Float32Array(dim);
  return {
    state,
    immediate: false,
    add: (g) => {
      state.pushes += 1;
      axpy(state.sum, 1, g);
    },
    ready: (_nowMs, { closing }) => state.pushes >= by.bufferSize || (closing === true && state.pushes > 0),
    deadlineMs: () => null,
    take: () => {
      copy(mean, state.sum);
      scale(mean, 1 / state.pushes);
      zero(state.sum);
      state.pushes = 0;
      return { update: mean, worker: '' };
    },
  };
}

/**
 * A round: the mean of everyone's push at one version, by samples unless `equally`. Complete when no lease of this version is
 * outstanding; or when, `deadlineMs` after its first push, at least `quorum` of those who took part have pushed.
 * Without the deadline one silent worker would stop the run; without the quorum one fast worker would be the run.
 */
export function round(dim: number, by: { quorum: number; deadlineMs: number; equally?: boolean }): Gather {
  // overdue: 1 when the deadline has passed without a quorum, and only another push, or another that ends, can help
  const state = { pushes: 0, weight: 0, openedAtMs: 0, overdue: 0, sum: new Float32Array(dim) };
  const mean = new Float32Array(dim);
  return {
    state,
    immediate: false,
    together: true,
    add: (g, { samples, nowMs }) => {
      if (state.pushes === 0) state.openedAtMs = nowMs;
      state.pushes += 1;
      const weight = by.equally ? 1 : samples;
      state.weight += weight;
      axpy(state.sum, weight, g);
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
      copy(mean, state.sum);
      scale(mean, 1 / state.weight);
      zero(state.sum);
      state.pushes = 0;
      state.weight = 0;
      state.overdue = 0;
      return { update: mean, worker: '' };
    },
  };
}
