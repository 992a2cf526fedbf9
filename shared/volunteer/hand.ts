// The leases in hand, and how far each has come: shards fetched → ready → computing → computed → pushing → settled.

import type { Lease } from '../protocol/lease.ts';
import type { PushMeta } from '../protocol/messages.ts';

/** A push that is not settled yet. `attempts` have failed; the first try was at `sinceMs`. */
export interface PendingPush {
  readonly meta: PushMeta;
  readonly attempts: number;
  readonly sinceMs: number;
}

export type Stage =
  | { readonly name: 'fetching'; readonly missing: ReadonlySet<number> }
  | { readonly name: 'ready' }
  | { readonly name: 'computing' }
  | { readonly name: 'computed'; readonly push: PendingPush; readonly pushAtMs: number }
  /** `next`: another lease was asked for with it. `outdated`: that was before we last said what we hold. */
  | { readonly name: 'pushing'; readonly push: PendingPush; readonly next: boolean; readonly outdated: boolean };

export interface Held {
  readonly lease: Lease;
  stage: Stage;
}

/** At most LEASES_MAX leases, oldest first: the machine asks for no more. */
export class Hand {
  private readonly held = new Map<string, Held>();

  get size(): number {
    return this.held.size;
  }

  get(id: string): Held | undefined {
    return this.held.get(id);
  }

  all(): Held[] {
    return [...this.held.values()];
  }

  in(stage: Stage['name']): string[] {
    return this.all()
      .filter((held) => held.stage.name === stage)
      .map(({ lease }) => lease.id);
  }

  /** Leases on which nothing has been spent yet, newest first. */
  idle(): string[] {
    const idle = this.all().filter(({ stage }) => stage.name === 'fetching' || stage.name === 'ready');
    return idle.map(({ lease }) => lease.id).reverse();
  }

  take(lease: Lease): void {
    const missing = new Set(lease.batches.map((batch) => batch.shard));
    this.held.set(lease.id, { lease, stage: { name: 'fetching', missing } });
  }

  drop(id: string): void {
    this.held.delete(id);
  }

  /** Shards that some lease still misses, in the order in which they are needed. */
  missingShards(): Set<number> {
    return new Set(this.all().flatMap(({ stage }) => (stage.name === 'fetching' ? [...stage.missing] : [])));
  }

  missing(shard: number): string[] {
    const needs = ({ stage }: Held): boolean => stage.name === 'fetching' && stage.missing.has(shard);
    return this.all()
      .filter(needs)
      .map(({ lease }) => lease.id);
  }

  shardArrived(shard: number): void {
    for (const held of this.held.values()) {
      if (held.stage.name !== 'fetching') continue;
      const missing = new Set(held.stage.missing);
      missing.delete(shard);
      held.stage = missing.size === 0 ? { name: 'ready' } : { name: 'fetching', missing };
    }
  }

  /** Every lease in hand. What is asked for and has not come is not among them: it will not be taken. */
  named(): string[] {
    for (const held of this.held.values()) {
      if (held.stage.name === 'pushing') held.stage = { ...held.stage, outdated: true };
    }
    return [...this.held.keys()];
  }

  /** Time in which nothing could be tried does not count. */
  slept(forMs: number): void {
    for (const held of this.held.values()) {
      const { stage } = held;
      if (stage.name !== 'computed' && stage.name !== 'pushing') continue;
      held.stage = { ...stage, push: { ...stage.push, sinceMs: stage.push.sinceMs + forMs } };
    }
  }

  /** Pushes that wait for another try wait no longer. */
  pushNow(nowMs: number): void {
    for (const held of this.held.values()) {
      if (held.stage.name === 'computed') held.stage = { ...held.stage, pushAtMs: nowMs };
    }
  }

  /** When the next push is to be sent, or sent again. */
  nextPushAtMs(): number {
    const at = this.all().map(({ stage }) => (stage.name === 'computed' ? stage.pushAtMs : Infinity));
    return Math.min(Infinity, ...at);
  }
}
