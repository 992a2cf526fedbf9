// A run's own clock: it stands still while no coordinator has the run, and goes on where the run was written down. So every
// time that a run remembers, in a method's state or elsewhere, stays right over a restart without being touched.

export class RunClock {
  readonly #aheadMs: number;

  /** It shows `startsAtMs` when the host's shows `nowMs`; the same as the host's when `startsAtMs` is not said. */
  constructor(nowMs: number, startsAtMs = nowMs) {
    this.#aheadMs = startsAtMs - nowMs;
  }

  /** What it shows at this time of the host. */
  at(hostMs: number): number {
    return hostMs + this.#aheadMs;
  }

  /** The time of the host at which it has come to `atMs`: never a rounding earlier, or a tick would be for nothing. */
  hostAt(atMs: number): number {
    const hostMs = atMs - this.#aheadMs;
    return this.at(hostMs) < atMs ? hostMs + Math.abs(hostMs) * Number.EPSILON : hostMs;
  }
}
