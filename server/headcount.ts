// How many of something there are, by address and in all.

export class Headcount {
  /** At most as many addresses as there are heads. */
  readonly #own = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  of(address: string): number {
    return this.#own.get(address) ?? 0;
  }

  /** One more. Gives back what to call, once, when it has gone. */
  add(address: string): () => void {
    this.#own.set(address, this.of(address) + 1);
    this.#all += 1;
    return () => {
      const left = this.of(address) - 1;
      if (left > 0) this.#own.set(address, left);
      else this.#own.delete(address);
      this.#all -= 1;
    };
  }
}
