// Holds remotes to the limits: how often they ask, how many connections they have, how much memory their bodies take. Knows
// no protocol; what an adapter does with a remote that is over a limit is the adapter's.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { hashText } from '../shared/rng.ts';
import { addressKey, isLoopback, requestAddress } from './address.ts';
import { Amounts } from './amounts.ts';
import { Headcount } from './headcount.ts';
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
  'watchers',
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
  readonly #connections = new Headcount();
  readonly #webSockets = new Headcount();
  readonly #watchers = new Headcount();
  readonly #bodies = new Amounts();

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

  /**
   * Counts one more of `name` for `who`, or so many points; never more than there are in all. Seconds to wait before the next,
   * at least 1; 0 when this one may go on.
   */
  async seconds(name: RateName, who: string, points = 1): Promise<number> {
    try {
      const key = BY_NAME.includes(name) ? who : this.#bucket(who);
      await this.#rates[name].consume(key, Math.min(points, this.limits.rates[name].points));
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

  /** One more connection of this address. Gives back what to call when it has closed; null when it has too many. */
  connect(address: string): (() => void) | null {
    return this.#oneMore(this.#connections, address);
  }

  /** The same of one that becomes a WebSocket: behind a proxy its request is the first that says whose it is. */
  connectWebSocket(address: string): (() => void) | null {
    return this.#oneMore(this.#webSockets, address);
  }

  /** The same of one more page that watches. The operator's is always let in; a proxy's on this machine are everybody's. */
  watch(address: string, operators: boolean): (() => void) | null {
    const { watchers, watchersPerAddress } = this.limits;
    const room = this.#watchers.of(address) < watchersPerAddress || isLoopback(address);
    if (operators || (room && this.#watchers.all < watchers)) return this.#watchers.add(address);
    this.heldBack.watchers += 1;
    return null;
  }

  /** Pages that watch now. */
  get watchers(): number {
    return this.#watchers.all;
  }

  /** That are open now. */
  get connections(): number {
    return this.#connections.all;
  }

  /** Of a connection before it has said anything. A proxy's are everybody's: bounded in all alone, until they are WebSockets. */
  connectSocket(remoteAddress: string | undefined): (() => void) | null {
    return this.trustProxy ? this.#connections.add('everybody') : this.connect(addressKey(remoteAddress));
  }

  /**
   * Memory for so many more bytes of a body that has `had` of them. False when the others under way have taken too much, in all
   * or of this address; where there are no others there is room, however long the body is.
   */
  takeBody(address: string, bytes: number, had = 0): boolean {
    const { bodiesBytes, bodiesBytesPerAddress } = this.limits;
    const fits = (taken: number, room: number): boolean => taken === had || taken + bytes <= room;
    if (!fits(this.#bodies.all, bodiesBytes) || !fits(this.#bodies.of(address), bodiesBytesPerAddress)) {
      this.heldBack.bodies += 1;
      return false;
    }
    this.#bodies.take(address, bytes);
    return true;
  }

  returnBody(address: string, bytes: number): void {
    this.#bodies.giveBack(address, bytes);
  }

  /** Of bodies that are under way. */
  get bodiesBytes(): number {
    return this.#bodies.all;
  }

  /** Longest that a body of this length may take. */
  bodyMs(bytes: number): number {
    const { bodyGraceMs, bodyBytesPerSecondMin } = this.timing;
    return bodyGraceMs + (1000 * bytes) / bodyBytesPerSecondMin;
  }

  #oneMore(connections: Headcount, address: string): (() => void) | null {
    if (connections.of(address) < this.limits.connectionsPerAddress) return connections.add(address);
    this.heldBack.connections += 1;
    return null;
  }

  /** Nobody outside knows who shares a bucket with whom. */
  #bucket(who: string): string {
    return String(hashText(who, hashText(this.#salt)) >>> (32 - BUCKETS_BITS));
  }
}
