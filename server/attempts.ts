// Wrong secrets, counted by address: after so many within a window an address is locked out, and after many more from
// wherever, everybody is. What is remembered is bounded by that: no failure is counted while nobody may try.

import { RateLimiterMemory } from 'rate-limiter-flexible';

export interface AttemptsOptions {
  /** Failures of one address, within the window, that lock it out for as long again. */
  readonly perAddress: number;
  /** Of all addresses together. */
  readonly altogether: number;
  readonly windowSeconds: number;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
}

const EVERYBODY = '*';

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #one: RateLimiterMemory;
  readonly #all: RateLimiterMemory;
  readonly #lockedUntilMs = new Map<string, number>();

  constructor(options: AttemptsOptions) {
    const { perAddress, altogether, windowSeconds: duration } = options;
    this.#options = options;
    this.#one = new RateLimiterMemory({ points: perAddress, duration });
    this.#all = new RateLimiterMemory({ points: altogether, duration });
  }

  /** Until this address may try again; 0 when it may now. */
  waitSeconds(address: string): number {
    return Math.max(this.#waitSeconds(address), this.#waitSeconds(EVERYBODY));
  }

  /** Counts a failure. Tells whether it locks the address out. */
  async failed(address: string): Promise<boolean> {
    if (this.waitSeconds(address) > 0) return false;
    const [one, all] = await Promise.all([this.#one.penalty(address), this.#all.penalty(EVERYBODY)]);
    if (all.consumedPoints >= this.#options.altogether) await this.#lock(EVERYBODY, this.#all);
    if (one.consumedPoints < this.#options.perAddress) return false;
    await this.#lock(address, this.#one);
    return true;
  }

  /** It knew the secret: what it mistyped before is forgotten. */
  async succeeded(address: string): Promise<void> {
    await this.#one.delete(address);
  }

  /** A window begins anew when it is over. */
  async #lock(key: string, limiter: RateLimiterMemory): Promise<void> {
    for (const known of this.#lockedUntilMs.keys())
      if (this.#waitSeconds(known) === 0) this.#lockedUntilMs.delete(known);
    this.#lockedUntilMs.set(key, this.#options.nowMs() + 1000 * this.#options.windowSeconds);
    await limiter.delete(key);
  }

  #waitSeconds(key: string): number {
    const leftMs = (this.#lockedUntilMs.get(key) ?? -Infinity) - this.#options.nowMs();
    return leftMs > 0 ? Math.ceil(leftMs / 1000) : 0;
  }
}
