// Views: which parameters does a worker get?

import { addScaled, copy } from '../../shared/vec.ts';
import type { View } from './method.ts';

/** θ itself. */
export function currentParams(): View {
  return { perWorker: false, write: (out, { theta }) => copy(out, theta) };
}

/** θ − ηγv, where Nesterov's momentum takes its gradient; θ until there is a momentum. */
export function lookAhead(momentum: number): View {
  return {
    perWorker: false,
    write: (out, { theta, outer, learningRate, worker }) => {
      const velocity = outer.velocity(worker);
      if (velocity === null || momentum === 0) copy(out, theta);
      else addScaled(out, theta, -learningRate * momentum, velocity);
    },
  };
}
