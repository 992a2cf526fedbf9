// A binary heap by time. Ties leave in the order they came, so that a simulation repeats.

interface Entry<T> {
  readonly atMs: number;
  readonly sequence: number;
  readonly item: T;
}

export class TimeHeap<T> {
  readonly #entries: Entry<T>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#entries.length;
  }

  push(atMs: number, item: T): void {
    this.#entries.push({ atMs, sequence: this.#sequence++, item });
    this.#up(this.#entries.length - 1);
  }

  /** The earliest, left in place. */
  peek(): { readonly atMs: number; readonly item: T } | undefined {
    return this.#entries[0];
  }

  /** The earliest, taken out. */
  pop(): { readonly atMs: number; readonly item: T } | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (first && last && this.#entries.length > 0) {
      this.#entries[0] = last;
      this.#down(0);
    }
    return first;
  }

  #before(i: number, j: number): boolean {
    const a = this.#entries[i]!;
    const b = this.#entries[j]!;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
  }

  #swap(i: number, j: number): void {
    const entry = this.#entries[i]!;
    this.#entries[i] = this.#entries[j]!;
    this.#entries[j] = entry;
  }

  #up(at: number): void {
    for (let i = at; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #down(at: number): void {
    for (let i = at; ;) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < this.#entries.length && this.#before(left, least)) least = left;
      if (right < this.#entries.length && this.#before(right, least)) least = right;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }
}
