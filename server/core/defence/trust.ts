// The trusted gradient: that of the loss on held-out samples, which no volunteer has touched. It is taken at θ every so
// often, outside, and one at a time. Pushes are compared with it by direction.

import { dot, sumSquares, type Vec } from '../../../shared/vec.ts';

/** It turns slowly: cosines with one of twenty pushes ago are as good, and it costs as much as a few pushes. */
const EVERY_PUSHES = 20;
const EVERY_MS = 1000;
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

export class Trust {
  #vector: Vec | null = null;
  #norm = 0;
  #asked: Moment | null = null;
  #running = false;
  #failures = 0;

  /** ‖ ‖₂ of it; null when there is none. */
  get norm(): number | null {
    return this.#vector === null ? null : this.#norm;
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
    const norm = vector === null ? 0 : Math.sqrt(sumSquares(vector));
    if (vector !== null && norm > 0 && Number.isFinite(norm)) {
      this.#vector = vector;
      this.#norm = norm;
      this.#failures = 0;
      return false;
    }
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return false;
    this.#vector = null;
    return this.#failures === FAILURES_MAX;
  }

  /** With a push of that norm; null while there is nothing to compare with. */
  cosine(push: Vec, norm: number): number | null {
    return this.#vector === null ? null : dot(push, this.#vector) / (norm * this.#norm);
  }
}
