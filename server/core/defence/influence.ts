// The cap on influence. Without one, whoever pushes most often moves θ most: asynchrony lets a single fast client be the
// run. Among the last pushes that were accepted, no worker's weights add up to more than `influence`/n of all weights, n
// being the workers that are in that window. What would be above is taken off the push.
//
// It is counted in weights, not in norms: the clip bounds what a weight of 1 can move, and by norms a few workers that send
// next to nothing would leave nothing to all others. It is counted among those who push, not those who are connected: a
// crowd that stands by must not hold up the one that works. The price is honest work of a worker that is much faster than
// the rest: beyond `influence` equal shares it counts for nothing. Of 25 workers with speeds exp(N(0, σ)) the work lost is
// 0 % at σ = 0, 2 % at 0.4 and 10 % at 0.7 (1.3 % above what the rule itself takes). With one or two workers there is no cap.

/** At least so many pushes, and so many for each worker that is here. */
const WINDOW_LEAST = 20;
const WINDOW_A_WORKER = 4;
/** Weights are added up in these parts of 1, so that sums are exact and leave nothing behind when all is taken off again. */
const UNIT = 2 ** 20;

interface Share {
  pushes: number;
  weight: number;
}

export class Influence {
  readonly #factor: number;
  readonly #present: () => number;
  /** Oldest first. */
  #window: { readonly worker: string; readonly weight: number }[] = [];
  /** Index of the oldest: the ones before have left the window. */
  #first = 0;
  readonly #shares = new Map<string, Share>();
  #total = 0;

  constructor(factor: number, present: () => number) {
    this.#factor = factor;
    this.#present = present;
  }

  /** The weight that this push may have, at most `weight`; it takes its place in the window. */
  grant(worker: string, weight: number): number {
    this.#slide(Math.max(WINDOW_LEAST, WINDOW_A_WORKER * this.#present()) - 1);
    const own = this.#shares.get(worker)?.weight ?? 0;
    const part = this.#factor / this.#active(worker);
    const room = part >= 1 ? Infinity : (part / (1 - part)) * (this.#total - own) - own;
    const granted = Math.max(0, Math.min(weight, room));
    this.#enter(worker, Math.round(granted * UNIT) / UNIT);
    return granted;
  }

  /** Its share of the window's weight in equal shares: 1 is as much as anyone's. Null when it has none. */
  shareOf(worker: string): number | null {
    const own = this.#shares.get(worker);
    if (!own || this.#total <= 0) return null;
    return (own.weight / this.#total) * this.#active(worker);
  }

  snapshot(): [string, number][] {
    return this.#window.slice(this.#first).map(({ worker, weight }) => [worker, weight]);
  }

  restore(saved: readonly (readonly [string, number])[]): void {
    this.#slide(0);
    for (const [worker, weight] of saved) this.#enter(worker, weight);
  }

  /** Workers whose pushes count in the window, and this one. Whoever counts for nothing is no crowd. */
  #active(worker: string): number {
    let active = 0;
    for (const { weight } of this.#shares.values()) if (weight > 0) active += 1;
    return (this.#shares.get(worker)?.weight ?? 0) > 0 ? active : active + 1;
  }

  #enter(worker: string, weight: number): void {
    const share = this.#shares.get(worker) ?? { pushes: 0, weight: 0 };
    share.pushes += 1;
    share.weight += weight;
    this.#shares.set(worker, share);
    this.#window.push({ worker, weight });
    this.#total += weight;
  }

  /** Leaves the newest `length` in the window. */
  #slide(length: number): void {
    while (this.#window.length - this.#first > length) {
      const { worker, weight } = this.#window[this.#first++]!;
      const share = this.#shares.get(worker)!;
      share.pushes -= 1;
      share.weight -= weight;
      this.#total -= weight;
      if (share.pushes === 0) this.#shares.delete(worker);
    }
    if (this.#first <= this.#window.length / 2) return;
    this.#window = this.#window.slice(this.#first);
    this.#first = 0;
  }
}
