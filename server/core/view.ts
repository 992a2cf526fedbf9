// Views: which parameters does a worker get?

import { addScaled, copy } from '../../shared/vec.ts';
import type { View } from './method.ts';

/** θ itself. */
export function currentParams(): View {
  return { perWorker: false, write: (out, { theta }) => copy(out, theta) };
}

/** θ − ηγv, where Nesterov's momentum takes its gradient; θ until there is a momentum. */
export function lookAhead(momentum: number): View {
  return along(false, () => momentum);
}

/** θ − ηγvⁱ, each worker along its own momentum. */
export function ownLookAhead(momentum: number): View {
  return along(true, () => momentum);
}

/**
 * θ − η·τ̂·v with τ̂ = N − 1 for N workers: where θ will be when the gradient comes back, if each of the others pushes once
 * before and the momentum stays.
 */
export function predicted(): View {
  return { ...along(false, (workers) => workers - 1), perCrowd: true };
}

function along(perWorker: boolean, steps: (workers: number) => number): View {
  return {
    perWorker,
    write: (out, { theta, outer, learningRate, worker, workers }) => {
      const velocity = outer.velocity(worker);
      const count = steps(workers);
      if (velocity === null || count === 0) copy(out, theta);
      else addScaled(out, theta, -learningRate * count, velocity);
    },
  };
}
