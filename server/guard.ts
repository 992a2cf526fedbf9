// Holds remotes to the limits: how often they ask, how many connections they have, how much memory their bodies take. Knows
// no protocol; what an adapter does with a remote that is over a limit is the adapter's.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { hashText } from '../shared/rng.ts';
import { addressKey, requestAddress } from './address.ts';
import { LIMITS, RATES, TIMING, type Limits, type RateName, type Timing } from './limits.ts';

/** Addresses are counted in so many buckets a rate, however many a remote has: memory that nobody can grow. */
const BUCKETS_BITS = 16;
/** Counted by name: workers and connections are bounded themselves. */
const BY_NAME: readonly RateName[] = ['worker', 'packet'];

export interface GuardOptions {
  readonly limits?: Limits;
  readonly timing?: Timing;
  /** Believe a proxy's X-Forwarded-For. */
  readonly trustProxy?: boolean;
}

/** What was held back, by what was over its limit; for the figures. */
export const HELD_BACK = [
  ...(Object.keys(RATES) as RateName[]),
  'connections',
  'bodies',
  'event', // of no name that we know
] as const;
export type HeldBack = (typeof HELD_BACK)[number];

export class Guard {
  readonly limits: Limits;
  readonly timing: Timing;
  readonly trustProxy: boolean;
  readonly heldBack: Record<HeldBack, number>;
  /** Connections that spoke of X-Forwarded-For, which is not believed. */
  forwardedUnheard = 0;
  readonly #salt = randomBytes(8).toString('hex');
  readonly #rates: Record<RateName, RateLimiterMemory>;
  readonly #connections = new Map<string, number>();
  #bodiesBytes = 0;

  constructor({ limits = LIMITS, timing = TIMING, trustProxy = false }: GuardOptions = {}) {
    this.limits = limits;
    this.timing = timing;
    this.trustProxy = trustProxy;
    this.heldBack = Object.fromEntries(HELD_BACK.map((what) => [what, 0])) as Record<HeldBack, number>;
    this.#rates = Object.fromEntries(
      Object.entries(limits.rates).map(([name, { points, seconds }]) => [
        name,
        new RateLimiterMemory({ points, duration: seconds }),
      ]),
    ) as Record<RateName, RateLimiterMemory>;
  }

  /** Whose request this is, as the rates count it. */
  address(request: IncomingMessage): string {
    if (!this.trustProxy && request.headers['x-forwarded-for'] !== undefined) this.forwardedUnheard += 1;
    return requestAddress(request, this.trustProxy);
  }

  /** Counts one more of `name` for `who`. Seconds to wait before the next, at least 1; 0 when this one may go on. */
  async seconds(name: RateName, who: string): Promise<number> {
    try {
      await this.#rates[name].consume(BY_NAME.includes(name) ? who : this.#bucket(who));
      return 0;
    } catch (over) {
      if (!(over instanceof RateLimiterRes)) throw over;
      this.heldBack[name] += 1;
      return Math.max(1, Math.ceil(over.msBeforeNext / 1000));
    }
  }

  /** One exchange of a worker: by who it is, and by where it comes from. Seconds to wait, or 0. */
  async exchange(worker: string, address: string): Promise<number> {
    return (await this.seconds('worker', worker)) || this.seconds('address', address);
  }

  /**
   * One more connection of this address. Gives back what to call when it has closed; null when there are too many, in all or
   * of this address. At most as many addresses are known as there are connections.
   */
  connect(address: string): (() => void) | null {
    const own = this.#connections.get(address) ?? 0;
    if (own >= this.limits.connectionsPerAddress && !this.trustProxy) {
      this.heldBack.connections += 1;
      return null;
    }
    this.#connections.set(address, own + 1);
    return () => {
      const left = this.#connections.get(address)! - 1;
      if (left > 0) this.#connections.set(address, left);
      else this.#connections.delete(address);
    };
  }

  /** That are open now. */
  get connections(): number {
    let open = 0;
    for (const own of this.#connections.values()) open += own;
    return open;
  }

  /** Of a connection before it has said anything. A proxy's are everybody's: they are bounded in all alone. */
  connectSocket(remoteAddress: string | undefined): (() => void) | null {
    return this.connect(this.trustProxy ? 'everybody' : addressKey(remoteAddress));
  }

  /** Memory for a body. False when too much is taken already; one body is always let in. */
  takeBody(bytes: number): boolean {
    if (this.#bodiesBytes > 0 && this.#bodiesBytes + bytes > this.limits.bodiesBytes) {
      this.heldBack.bodies += 1;
      return false;
    }
    this.#bodiesBytes += bytes;
    return true;
  }

  returnBody(bytes: number): void {
    this.#bodiesBytes -= bytes;
  }

  /** Of bodies that are under way. */
  get bodiesBytes(): number {
    return this.#bodiesBytes;
  }

  /** Longest that a body of this length may take. */
  bodyMs(bytes: number): number {
    const { bodyGraceMs, bodyBytesPerSecondMin } = this.timing;
    return bodyGraceMs + (1000 * bytes) / bodyBytesPerSecondMin;
  }

  /** Nobody outside knows who shares a bucket with whom. */
  #bucket(who: string): string {
    return String(hashText(who, hashText(this.#salt)) >>> (32 - BUCKETS_BITS));
  }
}
