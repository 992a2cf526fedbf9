// When what is killed, from a seed: the same seed kills in the same order after the same times.

import { rng } from '../../shared/rng.ts';

export interface Between {
  readonly least: number;
  readonly most: number;
}

/** Between two kills, where nothing else is asked for, and from a worker's death to its return. */
const PAUSE_MS: Between = { least: 1_500, most: 5_000 };
const AWAY_MS: Between = { least: 500, most: 6_000 };
/** Of the kills, so many are the coordinator's. */
const COORDINATOR_PART = 0.2;

export type Kill =
  | { readonly afterMs: number; readonly what: 'coordinator' }
  | { readonly afterMs: number; readonly what: 'worker'; readonly worker: number; readonly backAfterMs: number };

/** Without an end: take what there is time for. */
export function* kills(seed: number, workers: number, pauseMs = PAUSE_MS): Generator<Kill> {
  const random = rng(`chaos/${seed}`);
  const between = ({ least, most }: Between): number => Math.round(least + (most - least) * random.next());
  for (;;) {
    const afterMs = between(pauseMs);
    if (random.next() < COORDINATOR_PART) yield { afterMs, what: 'coordinator' };
    else yield { afterMs, what: 'worker', worker: random.below(workers), backAfterMs: between(AWAY_MS) };
  }
}
