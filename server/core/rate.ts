// How many a second, lately: a counter that forgets by half every `HALF_LIFE_MS`, right from its first seconds.

const HALF_LIFE_MS = 5_000;

export class Rate {
  #sum = 0;
  /** What the sum would be at one a second since the first event: divides out the start-up bias. */
  #weight = 0;
  #lastMs: number | null = null;

  add(count: number, nowMs: number): void {
    const { sum, weight } = this.#at(nowMs);
    this.#sum = sum + count;
    this.#weight = weight;
    this.#lastMs = nowMs;
  }

  /** Changes nothing: who looks, and how often, leaves no trace in a replay. */
  perSecond(nowMs: number): number {
    const { sum, weight } = this.#at(nowMs);
    return weight > 0 ? sum / weight : 0;
  }

  #at(nowMs: number): { sum: number; weight: number } {
    const elapsedMs = Math.max(0, nowMs - (this.#lastMs ?? nowMs));
    const kept = 2 ** (-elapsedMs / HALF_LIFE_MS);
    // ∫ of the same forgetting over the time that has passed, in seconds
    const since = ((1 - kept) * HALF_LIFE_MS) / 1000 / Math.LN2;
    return { sum: this.#sum * kept, weight: this.#weight * kept + since };
  }
}

/** An exponential mean that starts at its first value; null before it. */
export class RunningMean {
  #value: number | null = null;
  readonly #keep: number;

  constructor(keep = 0.95) {
    this.#keep = keep;
  }

  get value(): number | null {
    return this.#value;
  }

  restore(value: number | null): void {
    this.#value = value;
  }

  add(value: number): void {
    this.#value = this.#value === null ? value : this.#keep * this.#value + (1 - this.#keep) * value;
  }
}

/** The middle of some numbers; null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
