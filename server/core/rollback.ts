// Back to the last good state, when a measurement says that training has gone wrong. What is gone back to is a copy of θ, of
// the method's memory and of the account of samples, taken when its measurement was begun; it is good once that was fine.

import * as z from 'zod/mini';
import type { WorkerId } from '../../shared/ids.ts';
import { aggregatorFacts, type Written } from './aggregator.ts';
import { count, figure } from './facts.ts';
import { ledgerFacts, type LedgerFacts } from './ledger.ts';
import { cloneState, type State } from './state.ts';

/** A loss is held against the best of so many before it. */
const LOSSES_KEPT = 3;
/** Losses below are alike: a few samples of a validation split make the difference. In nats. */
const LOSS_LEAST = 0.01;
/** Roll-backs without a new best between them, after which going back once more would not help. */
export const ROLLBACKS_MAX = 5;

/** The part of a run that training changes. Never changed itself. */
export interface Copy {
  readonly aggregator: Written;
  readonly ledger: LedgerFacts;
  /** Workers that were not gone: the method may remember them. */
  readonly workers: readonly WorkerId[];
}

export const rollbackFacts = z.strictObject({
  count,
  /** Of them, since the best loss. */
  since: count,
  best: figure,
  losses: z.array(z.number()).check(z.maxLength(LOSSES_KEPT)),
  /** Its state is written with the vectors. */
  good: z.nullable(z.strictObject({ aggregator: aggregatorFacts, ledger: ledgerFacts, workers: z.array(z.string()) })),
});
export type RollbackFacts = z.infer<typeof rollbackFacts>;

/** Where to go back to, and why. */
export interface Verdict {
  readonly to: Copy;
  readonly because: string;
  /** It has been too often: somebody must look. */
  readonly exhausted: boolean;
}

export class Rollback {
  readonly #factor: number | null;
  #good: Copy | null = null;
  #measuring: Copy | null = null;
  #losses: number[] = [];
  #best: number | null = null;
  #since = 0;
  #count = 0;

  /** Null: never, and nothing is copied. */
  constructor(factor: number | null) {
    this.#factor = factor;
  }

  get on(): boolean {
    return this.#factor !== null;
  }

  /** Times that the run went back. */
  get count(): number {
    return this.#count;
  }

  /** A run begins: what it begins with is as good as anything known, unless there is something better already. */
  begin(copy: () => Copy): void {
    if (this.on) this.#good ??= copy();
  }

  /** A measurement begins, of what is copied. */
  measuring(copy: () => Copy): void {
    if (this.on) this.#measuring = copy();
  }

  failed(): void {
    this.#measuring = null;
  }

  /** The measurement's loss; null when it is fine. */
  judge(loss: number): Verdict | null {
    const measured = this.#measuring;
    this.#measuring = null;
    if (this.#factor === null) return null;
    const best = this.#losses.length === 0 ? null : Math.max(LOSS_LEAST, Math.min(...this.#losses));
    const limit = best === null ? Infinity : this.#factor * best;
    if (Number.isFinite(loss) && loss <= limit) {
      this.#fine(loss, measured);
      return null;
    }
    if (this.#good === null) return null;
    this.#count += 1;
    this.#since += 1;
    const because = Number.isFinite(loss)
      ? `a validation loss of ${loss.toPrecision(3)} is more than ${this.#factor} times the ${best!.toPrecision(3)} from before`
      : 'the validation loss is not finite';
    return { to: this.#good, because, exhausted: this.#since >= ROLLBACKS_MAX };
  }

  /** An operator has looked at it, and wants it to be tried again. */
  again(): void {
    this.#since = 0;
  }

  /** The memory of another method is of no use: copies keep θ and the account. */
  methodChanged(): void {
    this.#good = this.#good && withoutMemory(this.#good);
    this.#measuring = this.#measuring && withoutMemory(this.#measuring);
  }

  snapshot(): { facts: RollbackFacts; good: State | null } {
    const good = this.#good;
    return {
      facts: {
        count: this.#count,
        since: this.#since,
        best: this.#best,
        losses: [...this.#losses],
        good: good && { aggregator: good.aggregator.facts, ledger: good.ledger, workers: [...good.workers] },
      },
      good: good && cloneState(good.aggregator.state),
    };
  }

  restore({ count, since, best, losses, good }: RollbackFacts, state: State | null): void {
    this.#count = count;
    this.#since = since;
    this.#best = best;
    this.#losses = [...losses];
    if (!this.on || !good || !state) return;
    const { ledger, workers } = good;
    this.#good = {
      aggregator: { facts: good.aggregator, state: cloneState(state) },
      ledger,
      workers: workers as WorkerId[],
    };
  }

  #fine(loss: number, measured: Copy | null): void {
    if (measured) this.#good = measured;
    this.#losses = [...this.#losses, loss].slice(-LOSSES_KEPT);
    if (this.#best !== null && loss >= this.#best) return;
    this.#best = loss;
    this.#since = 0;
  }
}

function withoutMemory({ aggregator, ...rest }: Copy): Copy {
  const { facts, state } = aggregator;
  return { aggregator: { facts, state: { theta: state.theta! } }, ...rest };
}
