// A vector for each worker that a stage remembers: kept in the stage's state, so that checkpoints have it; made when
// first asked for, dropped when the worker leaves, and never more of them than fit in memory.

import { zeros, type Vec } from '../../shared/precision.ts';

/** Elements of all the workers' vectors of one stage together: 1 GiB. A coordinator holds θ and a few of these. */
const ELEMENTS_MAX = 2 ** 28;
/** However large the model: fewer would make every method one of a handful of workers. */
const WORKERS_MIN = 8;

export interface WorkerVectors {
  /** The worker's vector; zeros when it is new. The longest known one goes when there are too many. */
  of(worker: string): Vec;
  /** The worker's vector; null when there is none. */
  find(worker: string): Vec | null;
  /** Takes the worker's vector out; null when there is none. */
  drop(worker: string): Vec | null;
}

/** Vectors of `dim` elements in `state`, by worker. `evicted` sees each that is dropped for want of room. */
export function workerVectors(
  state: { [worker: string]: Vec },
  dim: number,
  evicted: (vector: Vec) => void = () => undefined,
): WorkerVectors {
  const limit = Math.max(WORKERS_MIN, Math.floor(ELEMENTS_MAX / dim));
  const drop = (worker: string): Vec | null => {
    const vector = state[worker] ?? null;
    delete state[worker];
    return vector;
  };
  return {
    of: (worker) => {
      const known = state[worker];
      if (known) return known;
      const workers = Object.keys(state);
      if (workers.length >= limit) evicted(drop(workers[0]!)!);
      return (state[worker] = zeros(dim));
    },
    find: (worker) => state[worker] ?? null,
    drop,
  };
}
