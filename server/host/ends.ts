// What must be closed at the end, in the reverse of the order in which it was opened: also when a start fails half-way.

export class Ends {
  #ends: (() => Promise<void> | void)[] = [];

  add(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  /** Closes everything; one that throws does not keep the others open. Once: again it does nothing. */
  async close(): Promise<void> {
    const ends = this.#ends.reverse();
    this.#ends = [];
    const errors: unknown[] = [];
    for (const end of ends)
      await Promise.resolve()
        .then(end)
        .catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
