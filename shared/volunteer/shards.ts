// Which shards are being fetched, and when to try again. Not the bytes: the shell keeps those.

import type { Rng } from '../rng.ts';
import { backoffMs } from './backoff.ts';
import { SHARD_ATTEMPTS_MAX, SHARD_RETRY } from './limits.ts';

type Fetch =
  | { readonly state: 'in-flight'; readonly attempts: number }
  | { readonly state: 'waiting'; readonly attempts: number; readonly retryAtMs: number };

/** At most one entry a shard that a lease in hand needs, and one for each fetch still under way. */
export class ShardFetches {
  private readonly fetches = new Map<number, Fetch>();
  private readonly random: Rng;

  constructor(random: Rng) {
    this.random = random;
  }

  /** The shards to ask for now, given those that are needed; they are in flight from here on. */
  due(needed: ReadonlySet<number>, nowMs: number): number[] {
    for (const [shard, fetch] of this.fetches) {
      if (fetch.state === 'waiting' && !needed.has(shard)) this.fetches.delete(shard);
    }
    return [...needed].filter((shard) => {
      const fetch = this.fetches.get(shard);
      if (fetch?.state === 'in-flight' || (fetch !== undefined && fetch.retryAtMs > nowMs)) return false;
      this.fetches.set(shard, { state: 'in-flight', attempts: fetch?.attempts ?? 0 });
      return true;
    });
  }

  arrived(shard: number): void {
    this.fetches.delete(shard);
  }

  /** Plans another try; false when there have been enough. */
  failed(shard: number, nowMs: number): boolean {
    const attempts = (this.fetches.get(shard)?.attempts ?? 0) + 1;
    this.fetches.delete(shard);
    if (attempts >= SHARD_ATTEMPTS_MAX) return false;
    const retryAtMs = nowMs + backoffMs(attempts - 1, SHARD_RETRY, this.random);
    this.fetches.set(shard, { state: 'waiting', attempts, retryAtMs });
    return true;
  }

  nextDeadlineMs(): number {
    const waiting = [...this.fetches.values()].map((fetch) => (fetch.state === 'waiting' ? fetch.retryAtMs : Infinity));
    return Math.min(Infinity, ...waiting);
  }
}
