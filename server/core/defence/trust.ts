// The trusted gradient: that of the loss on held-out samples, which no volunteer has touched. It is taken at θ every so
// often, outside, and one at a time. Pushes are compared by direction with the one nearest to where they were computed:
// θ swings, and a late honest push agrees with the gradient of its own θ, not of today's.

import { dot, sumSquares, type Vec } from '../../../shared/vec.ts';

/** It turns slowly: cosines with one of twenty pushes ago are as good, and it costs as much as a few pushes. */
const EVERY_PUSHES = 20;
const EVERY_MS = 1000;
/** Kept, to reach back to the θ of late pushes; each is as large as θ. */
const KEPT = 4;
/** After so many failures in a row the old one is used no more, and it is asked for less often. */
const FAILURES_MAX = 3;
const EVERY_MS_FAILING = 30_000;

/** When it may be asked for. */
export interface Moment {
  readonly version: number;
  /** Taken in so far. */
  readonly pushes: number;
  readonly nowMs: number;
}

interface Taken {
  readonly version: number;
  readonly vector: Vec;
  /** ‖ ‖₂ */
  readonly norm: number;
}

export class Trust {
  /** Newest last. */
  #taken: Taken[] = [];
  #asked: Moment | null = null;
  #running = false;
  /** What is being taken now is of a θ that is no more. */
  #void = false;
  #failures = 0;

  /** ‖ ‖₂ of the newest; null when there is none. */
  get norm(): number | null {
    return this.#taken.at(-1)?.norm ?? null;
  }

  /** The very first is being taken. */
  get isFirst(): boolean {
    return this.#running && this.#taken.length === 0 && this.#failures === 0;
  }

  /** True when it should be taken at this version: the caller then asks. */
  ask(now: Moment): boolean {
    if (this.#running) return false;
    const last = this.#asked;
    if (last !== null) {
      const failing = this.#failures >= FAILURES_MAX;
      if (now.nowMs - last.nowMs < (failing ? EVERY_MS_FAILING : EVERY_MS)) return false;
      if (now.version === last.version || now.pushes - last.pushes < EVERY_PUSHES) return false;
    }
    this.#running = true;
    this.#asked = now;
    return true;
  }

  /** What came of asking. One that is not finite, or zero, is as good as none. True when it has failed once too often. */
  answer(vector: Vec | null): boolean {
    this.#running = false;
    if (this.#void) {
      this.#void = false;
      this.#asked = null;
      return false;
    }
    const norm = vector === null ? 0 : Math.sqrt(sumSquares(vector));
    if (vector !== null && norm > 0 && Number.isFinite(norm)) {
      this.#taken = [...this.#taken, { version: this.#asked!.version, vector, norm }].slice(-KEPT);
      this.#failures = 0;
      return false;
    }
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return false;
    this.#taken = [];
    return this.#failures === FAILURES_MAX;
  }

  /** The run goes back: what was taken meanwhile is of θ that had gone wrong. */
  forget(): void {
    this.#taken = [];
    this.#void = this.#running;
    if (!this.#running) this.#asked = null;
  }

  /** With a push of that norm, computed at that version; null while there is nothing to compare with. */
  cosine(push: Vec, norm: number, version: number): number | null {
    const [first, ...others] = this.#taken;
    if (!first || norm === 0) return null;
    const away = (one: Taken): number => Math.abs(one.version - version);
    const nearest = others.reduce((best, one) => (away(one) <= away(best) ? one : best), first);
    return dot(push, nearest.vector) / (norm * nearest.norm);
  }
}
