// What lies between a volunteer and the coordinator: delay, loss, duplication, reordering, and times when it is cut.
// It carries closures; what is said is none of its business. Wherever nothing is drawn, nothing random is consumed.

import type { Rng } from '../../shared/rng.ts';
import type { Action, Clock } from './clock.ts';

/** One way, in milliseconds. */
export type Delay =
  | { readonly kind: 'none' }
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'log-normal'; readonly medianMs: number; readonly sigma: number };

/** From then until then, that share of the volunteers (drawn from the seed) hears and says nothing. */
export interface Partition {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly share: number;
}

/** Probabilities are of one message, one way. */
export interface NetworkProfile {
  readonly delay: Delay;
  readonly loss: number;
  readonly duplication: number;
  /** With this probability a message takes up to `reorderMs` longer, so that later ones overtake it. */
  readonly reordering: number;
  readonly reorderMs: number;
  readonly partitions: readonly Partition[];
  /** A request without an answer fails after this long. */
  readonly timeoutMs: number;
  /** Both ends notice a cut connection after this long. */
  readonly detectMs: number;
}

/** No delay and no fault: the papers' setting. */
export const PERFECT_NETWORK: NetworkProfile = {
  delay: { kind: 'none' },
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderMs: 0,
  partitions: [],
  timeoutMs: 15_000,
  detectMs: 2_000,
};

export interface Message {
  readonly deliver: Action;
  /** Called instead of `deliver` for a copy that never arrives. */
  readonly lost: () => void;
}

export class Link {
  readonly #profile: NetworkProfile;
  readonly #clock: Clock;
  readonly #random: Rng;
  readonly #cuts: readonly Partition[];

  constructor(profile: NetworkProfile, clock: Clock, random: Rng) {
    this.#profile = profile;
    this.#clock = clock;
    this.#random = random;
    this.#cuts = profile.partitions.filter(({ share }, i) => random.fork(`partition/${i}`).next() < share);
  }

  /** When this volunteer is cut off. */
  get cuts(): readonly Partition[] {
    return this.#cuts;
  }

  /** Whether a message may still arrive after its answer has. */
  get doubles(): boolean {
    return this.#profile.duplication > 0;
  }

  get timeoutMs(): number {
    return this.#profile.timeoutMs;
  }

  get detectMs(): number {
    return this.#profile.detectMs;
  }

  isCut(nowMs: number): boolean {
    return this.#cuts.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
  }

  /** A request or its answer: may be lost, doubled, and overtaken. */
  send(message: Message): void {
    const { loss, duplication } = this.#profile;
    this.#carry(message, loss);
    if (duplication > 0 && this.#random.next() < duplication) this.#carry(message, loss);
  }

  /** Over the open connection, which repeats what is lost: only a partition stops it. */
  sendReliably(message: Message): void {
    this.#carry(message, 0);
  }

  #carry({ deliver, lost }: Message, loss: number): void {
    const delayMs = this.#delayMs();
    const gone = this.isCut(this.#clock.nowMs) || (loss > 0 && this.#random.next() < loss);
    if (gone) return lost();
    this.#clock.after(delayMs, () => (this.isCut(this.#clock.nowMs) ? lost() : deliver()));
  }

  #delayMs(): number {
    const { delay, reordering, reorderMs } = this.#profile;
    const held = reordering > 0 && this.#random.next() < reordering ? reorderMs * this.#random.next() : 0;
    switch (delay.kind) {
      case 'none':
        return held;
      case 'constant':
        return delay.ms + held;
      case 'log-normal':
        return delay.medianMs * Math.exp(delay.sigma * this.#random.normal()) + held;
      default:
        return delay satisfies never;
    }
  }
}
