// Guesses at a secret, counted by address before anybody compares them: after so many wrong ones within a window an address
// is locked out, and after many more from wherever, everybody is. All of it at once, without waiting for anything: of
// requests that come in one packet each is counted before the next is looked at.

export interface AttemptsOptions {
  /** Wrong guesses of one address, within the window, that lock it out for as long again. */
  readonly perAddress: number;
  /** Of all addresses together: of each, those that count against itself. */
  readonly altogether: number;
  readonly windowSeconds: number;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
}

/** What counts against an address: never more than lock it out. */
interface Counted {
  guesses: number;
  /** When the first was made, and the last: from that on it is locked out, if it is one too many. */
  readonly firstMs: number;
  lastMs: number;
}

export class Attempts {
  readonly #options: AttemptsOptions;
  /** No more of them than guesses that lock everybody out: each has one at least, and what is over is forgotten. */
  readonly #counted = new Map<string, Counted>();
  /** Since when nobody may guess; −∞ while the others may. */
  #everybodyMs = -Infinity;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Until this address may guess again; 0 when it may now. */
  waitSeconds(address: string): number {
    const own = this.#counted.get(address);
    const locked = own && this.#isFull(own) ? this.#secondsAfter(own.lastMs) : 0;
    return Math.max(locked, this.#secondsAfter(this.#everybodyMs));
  }

  /** Counts a guess that is about to be compared. Seconds to wait when it must not be; 0 when it may. */
  guess(address: string): number {
    const seconds = this.waitSeconds(address);
    if (seconds > 0) return seconds;
    const nowMs = this.#options.nowMs();
    const before = this.#forgetOld();
    const own = this.#counted.get(address) ?? { guesses: 0, firstMs: nowMs, lastMs: nowMs };
    own.guesses += 1;
    own.lastMs = nowMs;
    this.#counted.set(address, own);
    if (before + 1 >= this.#options.altogether) this.#everybodyMs = nowMs;
    return 0;
  }

  /** The guess that was counted last was right: it counts no more. */
  takeBack(address: string): void {
    const own = this.#counted.get(address);
    if (!own) return;
    own.guesses -= 1;
    if (own.guesses === 0) this.#counted.delete(address);
    this.#everybodyMs = -Infinity; // it had been counted, so that there are fewer than all again
  }

  /** It knew the secret: what it mistyped before is forgotten too. */
  forgive(address: string): void {
    this.takeBack(address);
    this.#counted.delete(address);
  }

  #isFull({ guesses }: Counted): boolean {
    return guesses >= this.#options.perAddress;
  }

  /** Forgets whose window or lock-out is over; how many guesses are left of the others. */
  #forgetOld(): number {
    let left = 0;
    for (const [address, own] of this.#counted) {
      if (this.#secondsAfter(this.#isFull(own) ? own.lastMs : own.firstMs) === 0) this.#counted.delete(address);
      else left += own.guesses;
    }
    return left;
  }

  /** That are left of a window that began then. */
  #secondsAfter(beganMs: number): number {
    const leftMs = beganMs + 1000 * this.#options.windowSeconds - this.#options.nowMs();
    return leftMs > 0 ? Math.ceil(leftMs / 1000) : 0;
  }
}
