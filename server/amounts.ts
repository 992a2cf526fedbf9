// How much of something is taken, by address and in all.

export class Amounts {
  /** Of addresses that have taken any, and no others. */
  readonly #own = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  of(address: string): number {
    return this.#own.get(address) ?? 0;
  }

  take(address: string, amount: number): void {
    const own = this.of(address) + amount;
    if (own > 0) this.#own.set(address, own);
    else this.#own.delete(address);
    this.#all += amount;
  }

  giveBack(address: string, amount: number): void {
    this.take(address, -amount);
  }
}
