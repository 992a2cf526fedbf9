// Outer optimizers that keep one momentum a worker. All write θ ← θ − η·v and return v.

import { zeros } from '../../../shared/precision.ts';
import { axpy, decayAdd, decayAddTracked, zero, type Vec } from '../../../shared/vec.ts';
import type { Outer } from '../method.ts';
import { byWorker } from '../state.ts';
import { workerVectors } from '../workervectors.ts';

/** The sum of the workers' momenta is made afresh after so many updates: float32 rounding adds up meanwhile. */
const SUM_EVERY_UPDATES = 10_000;

/** vⁱ ← γvⁱ + g; θ ← θ − ηvⁱ. The look-ahead of a worker is along its own momentum. */
export function momentumPerWorker(dim: number, by: { momentum: number }): Outer {
  const state = { workers: byWorker<Vec>() };
  const momenta = workerVectors(state.workers, dim);
  return {
    state,
    apply: (theta, update, { learningRate, worker }) => {
      const velocity = momenta.of(worker);
      decayAdd(velocity, by.momentum, update);
      axpy(theta, -learningRate, velocity);
      return velocity;
    },
    velocity: (worker) => momenta.find(worker),
    forget: (worker) => void momenta.drop(worker),
  };
}

/**
 * DANA-Zero: vⁱ ← γvⁱ + g; θ ← θ − ηvⁱ; and V = Σⱼ vʲ, along which every worker looks ahead: each is about to apply its
 * momentum once. V is kept up by the change of vⁱ, so an update costs the same however many workers there are. The
 * momentum of a worker that leaves will not be applied any more, and comes off V.
 */
export function danaMomentum(dim: number, by: { momentum: number }): Outer {
  const state = { updates: 0, sum: zeros(dim), workers: byWorker<Vec>() };
  const momenta = workerVectors(state.workers, dim, (velocity) => axpy(state.sum, -1, velocity));
  return {
    state,
    apply: (theta, update, { learningRate, worker }) => {
      const velocity = momenta.of(worker);
      decayAddTracked(velocity, state.sum, by.momentum, update);
      axpy(theta, -learningRate, velocity);
      state.updates += 1;
      if (state.updates % SUM_EVERY_UPDATES === 0) sumInto(state.sum, state.workers);
      return velocity;
    },
    velocity: () => state.sum,
    forget: (worker) => {
      const velocity = momenta.drop(worker);
      if (velocity) axpy(state.sum, -1, velocity);
    },
  };
}

/**
 * DANA-Slim: the master holds the look-ahead point Θ = θ − ηγV itself. vⁱ ← γvⁱ + g; u = γvⁱ + g; Θ ← Θ − ηu.
 * In the paper a worker keeps its own vⁱ and sends u; here it sends g as for any other method and vⁱ is kept for it,
 * which gives the same Θ. As in the paper, what a worker that leaves has put into Θ stays there.
 */
export function danaSlim(dim: number, by: { momentum: number }): Outer {
  const state = { workers: byWorker<Vec>() };
  const momenta = workerVectors(state.workers, dim);
  return {
    state,
    apply: (theta, update, { learningRate, worker }) => {
      const velocity = momenta.of(worker);
      decayAdd(velocity, by.momentum, update);
      axpy(update, by.momentum, velocity);
      axpy(theta, -learningRate, update);
      return update;
    },
    velocity: () => null,
    forget: (worker) => void momenta.drop(worker),
  };
}

function sumInto(sum: Vec, vectors: { [worker: string]: Vec }): void {
  zero(sum);
  for (const worker of Object.keys(vectors).sort()) axpy(sum, 1, vectors[worker]!);
}
