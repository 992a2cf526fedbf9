// How much is believed of the loss that comes with a push: nothing that trains depends on it, but the curves are kept for
// good, and it is a volunteer's word. It is held against what the others say: at most so many times the middle of the losses
// of the workers that are trusted, one vote each, and of the coordinator's own measurement, which has one too.
//
// Never against less than that measurement: where the samples are known by heart a batch with one that is not has many times
// the loss of all others, and is what is left of their mean.

import * as z from 'zod/mini';
import { count, figure } from './facts.ts';

/** A batch of 64 seldom has twice the mean loss; one that has lost its way has more, and soon all have. */
const FACTOR = 5;
/** The limit is worked out again after pushes of this part of the crowd: the cost a push stays the same with any crowd. */
const RENEWED_PART = 1 / 8;

export interface Votes {
  /** What each worker that has a vote says of the loss, nats. */
  readonly losses: readonly number[];
  /** The coordinator's own, on held-out samples. */
  readonly heldOut: number;
  /** Workers that were looked at, whether or not they have a vote. */
  readonly crowd: number;
}

/** The limit is null before it is first worked out. */
export const lossLimitFacts = z.strictObject({ limit: figure, pushes: count, crowd: count });
export type LossLimitFacts = z.infer<typeof lossLimitFacts>;

export class LossLimit {
  readonly #votes: () => Votes;
  #limit = Infinity;
  /** Since it was worked out; and the crowd then. */
  #pushes = 0;
  #crowd = 0;

  constructor(votes: () => Votes) {
    this.#votes = votes;
  }

  /** So much of the loss of a push that was accepted. */
  believed(loss: number): number {
    this.#pushes += 1;
    if (this.#pushes > RENEWED_PART * this.#crowd) this.#renew();
    return Math.min(loss, this.#limit);
  }

  snapshot(): LossLimitFacts {
    const limit = Number.isFinite(this.#limit) ? this.#limit : null;
    return { limit, pushes: this.#pushes, crowd: this.#crowd };
  }

  restore({ limit, pushes, crowd }: LossLimitFacts): void {
    this.#limit = limit ?? Infinity;
    this.#pushes = pushes;
    this.#crowd = crowd;
  }

  #renew(): void {
    const { losses, heldOut, crowd } = this.#votes();
    const votes = [...losses, heldOut].sort((a, b) => a - b);
    // of an even number the lower of the middle two: with fewer than half of the votes nobody moves it past an honest one
    this.#limit = FACTOR * Math.max(heldOut, votes[(votes.length - 1) >> 1]!);
    this.#pushes = 0;
    this.#crowd = crowd;
  }
}
