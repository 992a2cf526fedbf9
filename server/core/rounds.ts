// Rounds, for gates that work in rounds: the span of one version, or less. When every lease of a version ended and
// nothing came of them, the next is another round of the same version, or nobody would ever start again.

export class Rounds {
  #version = 0;
  #number = 0;

  /** The round now, given the version of θ and how many leases on it are out. Numbers are never used again. */
  current(version: number, outstanding: number): number {
    if (this.#version !== version || outstanding === 0) {
      this.#version = version;
      this.#number += 1;
    }
    return this.#number;
  }
}
