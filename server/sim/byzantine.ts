// Workers that send wrong numbers, by fault or intent.

import type { Rng } from '../../shared/rng.ts';
import { copy, scale, sumSquares, type Vec } from '../../shared/vec.ts';

export const FAULTS = [
  'sign-flip',
  'times-ten',
  'constant',
  'nan',
  'noise', // ten times as much as there is signal
  'label-flip',
  'lazy-noise', // nothing computed: noise as long as an honest push
  'replay', // its first push again and again
  'copy', // the last push of somebody else
  'false-loss', // the right gradient, with a loss that is none
] as const;
export type Fault = (typeof FAULTS)[number];

/** So many of the workers, the first ones that nobody else has taken, have this fault. */
export interface FaultyWorkers {
  readonly fault: Fault;
  readonly workers: number;
  /** Honest until then. */
  readonly fromMs?: number;
  /** They are so many times as fast as they would be: a flood. */
  readonly speed?: number;
}

/** Of whoever lies about it, nats. */
export const FALSE_LOSS = 1e6;

/** What is wrong with worker number `index`; null for an honest one. */
export function faultOf(index: number, faulty: readonly FaultyWorkers[]): FaultyWorkers | null {
  let first = 0;
  for (const some of faulty) {
    if (index < first + some.workers) return some;
    first += some.workers;
  }
  return null;
}

/** What the liars of a fleet know of the others: the last honest push. */
export class Grapevine {
  #last: Vec | null = null;

  heard(vector: Vec): void {
    this.#last ??= new Float32Array(vector.length);
    copy(this.#last, vector);
  }

  get last(): Vec | null {
    return this.#last;
  }
}

export class Liar {
  readonly #random: Rng;
  readonly #grapevine: Grapevine;
  #first: Vec | null = null;

  constructor(random: Rng, grapevine: Grapevine) {
    this.#random = random;
    this.#grapevine = grapevine;
  }

  /**
   * Overwrites an honest gradient with what the fault makes of it; `label-flip` has done its work before, on the data, and
   * `false-loss` leaves it alone.
   */
  corrupt(vector: Vec, fault: Fault): void {
    switch (fault) {
      case 'sign-flip':
        return scale(vector, -1);
      case 'times-ten':
        return scale(vector, 10);
      case 'constant':
        return void vector.fill(1);
      case 'nan':
        vector[this.#random.below(vector.length)] = NaN; // one is enough
        return;
      case 'noise':
        return this.#addNoise(vector, 10 * rootMeanSquare(vector), 1);
      case 'lazy-noise':
        return this.#addNoise(vector, rootMeanSquare(vector), 0);
      case 'replay':
        this.#first ??= vector.slice();
        return copy(vector, this.#first);
      case 'copy':
        if (this.#grapevine.last) copy(vector, this.#grapevine.last);
        return;
      case 'label-flip':
      case 'false-loss':
        return;
      default:
        fault satisfies never;
    }
  }

  #addNoise(vector: Vec, deviation: number, keep: 0 | 1): void {
    for (let i = 0; i < vector.length; i++) vector[i] = keep * vector[i]! + deviation * this.#random.normal();
  }
}

const rootMeanSquare = (vector: Vec): number => Math.sqrt(sumSquares(vector) / vector.length);
