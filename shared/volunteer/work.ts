// The volunteer's work: asking for leases, getting their shards, computing them one at a time, pushing them until they
// are settled. It is told on what terms (connected? paused? how many?); it knows neither the connection nor the device.

import type { Lease, Next, PushReply, WaitReason } from '../protocol/lease.ts';
import type { PushMeta } from '../protocol/messages.ts';
import type { Rng } from '../rng.ts';
import type { Failure, VolunteerEffect } from './events.ts';
import { Hand } from './hand.ts';
import * as limits from './limits.ts';
import { retryPush, waitMs } from './retry.ts';
import { ShardFetches } from './shards.ts';
import type { StopReason } from './words.ts';

/** What the surroundings allow at this moment. */
export interface Terms {
  readonly nowMs: number;
  /** The coordinator knows our token: what is computed may be pushed. */
  readonly known: boolean;
  readonly deviceReady: boolean;
  /** Welcomed, connected, with a device, and nobody has paused: new leases are wanted. */
  readonly wanted: boolean;
  readonly leasesMax: number;
  /** As many leases as the run allows: more than `leasesMax` when we want fewer. */
  readonly leasesAllowed: number;
  readonly shardCount: number;
}

/** A push that has its answer. */
export interface Settled {
  readonly meta: PushMeta;
  /** Another lease was asked for with it. */
  readonly next: boolean;
  readonly outdated: boolean;
}

const NO_FAILURE: Failure = { kind: 'network' };

export class Work {
  /** Why the coordinator had nothing for us when last asked. */
  waiting: WaitReason | null = null;
  private readonly hand = new Hand();
  private readonly shards: ShardFetches;
  /** What the device is at, also when its lease is no longer in hand. */
  private step: { readonly lease: string; readonly sinceMs: number } | null = null;
  private pulling = false;
  /** We have said what we hold since the pull under way was sent: a lease that comes of it is given back. */
  private pullOutdated = false;
  /** The coordinator counts more leases of ours than we have. */
  private lostSome = false;
  private pullAtMs = -Infinity;
  private pullFailures = 0;
  private readonly random: Rng;
  private readonly emit: (effect: VolunteerEffect) => void;

  constructor(random: Rng, emit: (effect: VolunteerEffect) => void) {
    this.random = random;
    this.emit = emit;
    this.shards = new ShardFetches(random);
  }

  get inHand(): number {
    return this.hand.size;
  }

  /** When the step in progress counts as hung. */
  get stepDeadlineMs(): number {
    return this.step === null ? Infinity : this.step.sinceMs + limits.COMPUTE_MS_MAX;
  }

  /** Sends what may be sent now. A push goes before the next step, so that its exchange overlaps that step's compute. */
  advance(terms: Terms): void {
    for (const shard of this.shards.due(this.hand.missingShards(), terms.nowMs)) {
      this.emit({ type: 'fetch-shard', shard });
    }
    if (terms.known) this.push(terms);
    if (terms.deviceReady) this.compute(terms.nowMs);
    if (this.roomForPull(terms) && this.pullAtMs <= terms.nowMs) {
      this.pulling = true;
      this.emit({ type: 'pull' });
    }
  }

  nextDeadlineMs(terms: Terms): number {
    return Math.min(
      this.stepDeadlineMs,
      this.shards.nextDeadlineMs(),
      terms.known ? this.hand.nextPushAtMs() : Infinity,
      this.roomForPull(terms) ? this.pullAtMs : Infinity,
    );
  }

  /** The answer to our pull; a reason when it is not to be asked again. */
  pulled(next: Next, paramsOk: boolean, terms: Terms): StopReason | null {
    const outdated = this.pullOutdated;
    this.pulling = this.pullOutdated = false;
    this.pullFailures = 0;
    return this.offered(next, { paramsOk, outdated }, terms);
  }

  /** The answer to a push: what was pushed if that settles a lease, else null (it was settled or given up before). */
  settle(lease: string): Settled | null {
    const stage = this.hand.get(lease)?.stage;
    if (stage?.name !== 'pushing') return null;
    this.hand.drop(lease);
    this.emit({ type: 'forget', lease });
    return { meta: stage.push.meta, next: stage.next, outdated: stage.outdated };
  }

  /** The next lease that came with a push. A wait counts only if more work was asked for. */
  offeredWithPush(
    reply: PushReply,
    settled: Settled | null,
    offer: { paramsOk: boolean; terms: Terms },
  ): StopReason | null {
    const { next: asked, outdated } = settled ?? { next: true, outdated: false };
    if (reply.next.kind === 'wait' && !asked) return null;
    return this.offered(reply.next, { paramsOk: offer.paramsOk, outdated }, offer.terms);
  }

  /** The leases in hand, to be said with a hello: the coordinator gives all others of ours to somebody else. */
  introduce(): readonly string[] {
    this.lostSome = false;
    this.pullOutdated = this.pulling;
    return this.hand.named();
  }

  /** Whether the coordinator should be told what we hold; asked once. */
  takeLoss(): boolean {
    const lost = this.lostSome;
    this.lostSome = false;
    return lost;
  }

  /** Nothing ran here for so long: neither the device nor the network is to blame. */
  slept(forMs: number): void {
    if (this.step !== null) this.step = { ...this.step, sinceMs: this.step.sinceMs + forMs };
    this.hand.slept(forMs);
  }

  pullFailed(failure: Failure, nowMs: number): void {
    this.pulling = this.pullOutdated = false;
    this.pullLater(failure, nowMs);
  }

  pushFailed(lease: string, failure: Failure, nowMs: number): void {
    const held = this.hand.get(lease);
    if (held?.stage.name !== 'pushing') return;
    const retry = retryPush(held.stage.push, failure, { nowMs, random: this.random });
    if (retry !== null) {
      held.stage = { name: 'computed', ...retry };
      return;
    }
    this.release([lease]);
    this.pullLater(failure, nowMs);
  }

  shardArrived(shard: number): void {
    this.shards.arrived(shard);
    this.hand.shardArrived(shard);
  }

  shardFailed(shard: number, failure: Failure, nowMs: number): void {
    if (this.shards.failed(shard, nowMs)) return;
    this.release(this.hand.missing(shard));
    this.pullLater(failure, nowMs);
  }

  /** The device is free again; false when it was not at this step. */
  stepEnded(lease: string): boolean {
    if (this.step?.lease !== lease) return false;
    this.step = null;
    return true;
  }

  /** The step's gradient waits to be pushed; nothing happens when its lease has been given back meanwhile. */
  computed(lease: string, meta: PushMeta, nowMs: number): void {
    const held = this.hand.get(lease);
    if (held?.stage.name !== 'computing') return;
    held.stage = { name: 'computed', push: { meta, attempts: 0, sinceMs: nowMs }, pushAtMs: nowMs };
  }

  /** Gives back a lease whose step gave nothing usable. */
  abandon(lease: string): void {
    if (this.hand.get(lease)?.stage.name === 'computing') this.release([lease]);
  }

  deviceLost(): void {
    this.step = null;
    this.release([...this.hand.idle(), ...this.hand.in('computing')]);
  }

  /** Gives back the leases on which nothing has been spent, newest first, until `leasesMax` are in hand or none is left. */
  releaseIdle(leasesMax: number): void {
    this.release(this.hand.idle().slice(0, Math.max(0, this.hand.size - leasesMax)));
  }

  /** Gives back all that is not on its way to the coordinator. */
  releaseAll(): void {
    this.release([...this.hand.idle(), ...this.hand.in('computing'), ...this.hand.in('computed')]);
  }

  release(leases: readonly string[]): void {
    for (const lease of leases) this.hand.drop(lease);
    if (leases.length > 0) this.emit({ type: 'release', leases });
  }

  /** Another run than before: nothing in hand is of use to it. */
  startOver(): void {
    this.releaseAll();
    for (const lease of this.hand.in('pushing')) {
      this.hand.drop(lease);
      this.emit({ type: 'forget', lease });
    }
  }

  /** Everything that waits for its time is due now. */
  wake(nowMs: number): void {
    this.pullAtMs = nowMs;
    this.hand.pushNow(nowMs);
  }

  private offered(
    next: Next,
    { paramsOk, outdated }: { readonly paramsOk: boolean; readonly outdated: boolean },
    terms: Terms,
  ): StopReason | null {
    switch (next.kind) {
      case 'lease':
        if (outdated && this.hand.get(next.lease.id) === undefined) this.release([next.lease.id]);
        else this.take(next.lease, paramsOk, terms);
        return null;
      case 'wait':
        this.wait(next.retryAfterMs, next.reason, terms.nowMs);
        this.lostSome = next.reason === 'lease-limit' && !outdated && this.hand.size < terms.leasesAllowed;
        return null;
      case 'stop':
        return next.reason;
      default:
        return next satisfies never;
    }
  }

  private wait(retryAfterMs: number, reason: WaitReason, nowMs: number): void {
    const forMs = Math.min(limits.RETRY_AFTER_MS_MAX, Math.max(limits.WAIT_MS_MIN, retryAfterMs));
    const everyone = reason === 'busy' || reason === 'leaving';
    this.pullAtMs = nowMs + forMs * (everyone ? 1 + limits.WAIT_JITTER * this.random.next() : 1);
    this.waiting = reason;
  }

  private take(lease: Lease, paramsOk: boolean, terms: Terms): void {
    if (this.hand.get(lease.id) !== undefined) return; // an answer given twice
    const usable = lease.batches.length > 0 && lease.batches.every((batch) => batch.shard < terms.shardCount);
    if (!paramsOk || !usable) {
      this.release([lease.id]);
      this.pullLater(NO_FAILURE, terms.nowMs);
    } else if (!terms.wanted || this.hand.size >= terms.leasesMax) {
      this.release([lease.id]);
    } else {
      this.hand.take(lease);
      this.waiting = null;
    }
  }

  private push(terms: Terms): void {
    for (const held of this.hand.all()) {
      if (held.stage.name !== 'computed' || held.stage.pushAtMs > terms.nowMs) continue;
      const { push } = held.stage;
      const next = terms.wanted && this.hand.size + (this.pulling ? 1 : 0) <= terms.leasesMax;
      held.stage = { name: 'pushing', push, next, outdated: false };
      this.emit({ type: 'push', lease: held.lease, meta: push.meta, next });
    }
  }

  private compute(nowMs: number): void {
    const held = this.hand.all().find(({ stage }) => stage.name === 'ready');
    if (this.step !== null || held === undefined) return;
    held.stage = { name: 'computing' };
    this.step = { lease: held.lease.id, sinceMs: nowMs };
    this.emit({ type: 'compute', lease: held.lease });
  }

  private roomForPull(terms: Terms): boolean {
    return terms.wanted && !this.pulling && this.hand.size < terms.leasesMax;
  }

  private pullLater(failure: Failure, nowMs: number): void {
    const by = { ...limits.PULL_RETRY, random: this.random };
    this.pullAtMs = nowMs + waitMs(this.pullFailures++, failure, by);
  }
}
