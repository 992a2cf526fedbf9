// The trusted gradient: that of the loss on held-out samples, which no volunteer has touched. It is taken at θ every so
// often, outside, and one at a time. Pushes are compared with it by direction.

import { dot, sumSquares, type Vec } from '../../../shared/vec.ts';

/** It turns slowly: cosines with one of twenty updates ago are as good, and it costs as much as a few pushes. */
const EVERY_VERSIONS = 20;
const EVERY_MS = 1000;
/** After so many failures in a row the old one is used no more, and it is asked for less often. */
const FAILURES_MAX = 3;
const EVERY_MS_FAILING = 30_000;

export class Trust {
  #vector: Vec | null = null;
  #norm = 0;
  #asked: { readonly version: number; readonly atMs: number } | null = null;
  #running = false;
  #failures = 0;

  /** ‖ ‖₂ of it; null when there is none. */
  get norm(): number | null {
    return this.#vector === null ? null : this.#norm;
  }

  /** True when it should be taken at this version: the caller then asks. */
  ask(version: number, nowMs: number): boolean {
    if (this.#running) return false;
    if (this.#asked !== null) {
      const failing = this.#failures >= FAILURES_MAX;
      const tooSoon = nowMs - this.#asked.atMs < (failing ? EVERY_MS_FAILING : EVERY_MS);
      // a version may also be an earlier one, when the run has gone back
      if (tooSoon || Math.abs(version - this.#asked.version) < EVERY_VERSIONS) return false;
    }
    this.#running = true;
    this.#asked = { version, atMs: nowMs };
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
