// How many of something there are, by address and in all: each is given back once, by whoever has it.

import { Amounts } from './amounts.ts';

export class Headcount {
  readonly #heads = new Amounts();

  get all(): number {
    return this.#heads.all;
  }

  of(address: string): number {
    return this.#heads.of(address);
  }

  /** One more. Gives back what to call, once, when it has gone. */
  add(address: string): () => void {
    this.#heads.take(address, 1);
    return () => this.#heads.giveBack(address, 1);
  }
}
