// The score: how well a worker's pushes agree with the trusted gradient, over many of them. One push of a small batch says
// little (a gate on each would refuse half of the honest work); the mean of forty tells a liar from an unlucky one.

import { median } from '../rate.ts';
import type { Records, WorkerRecord } from './records.ts';

export interface ScoreOptions {
  readonly below: number;
  readonly window: number;
  readonly least: number;
}

/** Standard errors of doubt that a worker is given. */
const ERRORS = 3;
/** Others that must have pushed meanwhile, so often each, to be compared with. */
const OTHERS_LEAST = 3;
const PUSHES_OF_OTHERS = 3;
/**
 * With fewer others: banned when the mean is surely below this. An honest push points along the gradient on average, so
 * that its cosines are above 0; when it is stale and θ swings they may be below, but not far and not for long. What is
 * turned round is at −0.3 to −0.9 while there is something to learn.
 */
export const FLOOR = -0.1;
/** A worker is judged at every fourth push: what a judgement costs grows with the crowd. */
const JUDGED_EVERY = 4;

export interface Judgement {
  readonly mean: number;
  readonly pushes: number;
  /** The median of the others' means; null when there are too few of them. */
  readonly others: number | null;
}

export class Score {
  readonly #by: ScoreOptions;
  readonly #records: Records;
  readonly #counts: (worker: string) => boolean;
  #number = 0;

  /** `counts`: whether a worker is one to be compared with. */
  constructor(by: ScoreOptions, records: Records, counts: (worker: string) => boolean) {
    this.#by = by;
    this.#records = records;
    this.#counts = counts;
  }

  /** Pushes seen so far, all workers together. */
  get number(): number {
    return this.#number;
  }

  set number(number: number) {
    this.#number = number;
  }

  /** Takes in the cosine of a push; what speaks for a ban, if it does. */
  saw(worker: string, record: WorkerRecord, cosine: number): Judgement | null {
    const { window, least } = this.#by;
    this.#number += 1;
    record.numbers.push(this.#number);
    record.cosines.push(cosine);
    if (record.cosines.length > window) {
      record.numbers.shift();
      record.cosines.shift();
    }
    record.scored += 1;
    const due = record.cosines.length >= least && (record.scored - least) % JUDGED_EVERY === 0;
    return due ? this.#judge(worker, record) : null;
  }

  /** Its mean cosine; null while there are too few. */
  meanOf(record: WorkerRecord): number | null {
    return record.cosines.length < this.#by.least ? null : mean(record.cosines);
  }

  /** What was seen is of no use any more. */
  forget(): void {
    for (const [, record] of this.#records.all()) {
      record.scored = 0;
      record.numbers = [];
      record.cosines = [];
    }
  }

  #judge(worker: string, record: WorkerRecord): Judgement | null {
    const { below } = this.#by;
    const own = mean(record.cosines);
    const atBest = own + ERRORS * standardError(record.cosines, own);
    if (atBest >= below) return null; // no median is above 1
    const others = this.#othersSince(worker, record.numbers[0]!);
    const least = others === null ? FLOOR : below * others;
    // where even the others go against the gradient it is the gradient that is in doubt
    if (atBest >= least || (others !== null && others <= 0)) return null;
    return { mean: own, pushes: record.cosines.length, others };
  }

  /**
   * The median of the others' means, each over its pushes since then: cosines shrink as a run converges, and a fast
   * worker's last forty are later than a slow one's.
   */
  #othersSince(worker: string, number: number): number | null {
    const means: number[] = [];
    for (const [other, { numbers, cosines }] of this.#records.all()) {
      if (other === worker || !this.#counts(other)) continue;
      const from = numbers.findIndex((each) => each >= number);
      if (from >= 0 && numbers.length - from >= PUSHES_OF_OTHERS) means.push(mean(cosines.slice(from)));
    }
    return means.length < OTHERS_LEAST ? null : median(means);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the mean, from the values' own spread. */
function standardError(values: readonly number[], around: number): number {
  const squares = values.reduce((sum, value) => sum + (value - around) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
