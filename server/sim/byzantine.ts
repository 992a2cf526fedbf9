// Workers that send wrong numbers, by fault or intent. A worker is wrong in one way for as long as it lives.

import type { Rng } from '../../shared/rng.ts';
import { scale, sumSquares, type Vec } from '../../shared/vec.ts';

export const FAULTS = ['sign-flip', 'times-ten', 'constant', 'nan', 'noise', 'label-flip'] as const;
export type Fault = (typeof FAULTS)[number];

/** So many of the workers, the first ones, have this fault. */
export interface FaultyWorkers {
  readonly fault: Fault;
  readonly workers: number;
}

/** The fault of worker number `index`; null for an honest one. */
export function faultOf(index: number, faulty: readonly FaultyWorkers[]): Fault | null {
  let first = 0;
  for (const { fault, workers } of faulty) {
    if (index < first + workers) return fault;
    first += workers;
  }
  return null;
}

/** What the fault makes of a gradient; `label-flip` has done its work before, on the data. */
export function corrupt(vector: Vec, fault: Fault, random: Rng): void {
  switch (fault) {
    case 'sign-flip':
      return scale(vector, -1);
    case 'times-ten':
      return scale(vector, 10);
    case 'constant':
      return void vector.fill(1);
    case 'nan':
      vector[random.below(vector.length)] = NaN; // one is enough
      return;
    case 'noise': {
      const deviation = 10 * Math.sqrt(sumSquares(vector) / vector.length);
      for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! + deviation * random.normal();
      return;
    }
    case 'label-flip':
      return;
    default:
      fault satisfies never;
  }
}
