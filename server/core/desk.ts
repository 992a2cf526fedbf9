// The desk where leases are issued and settled: who may have work, what a push is worth, and whose samples are free
// again. It moves the ledger, the leases and the aggregator together, so that none can disagree with another.

import * as z from 'zod/mini';
import { asLeaseId, type LeaseId, type WorkerId } from '../../shared/ids.ts';
import type { Defences, RunConfig } from '../../shared/config.ts';
import { hashText } from '../../shared/rng.ts';
import type { Lease, Next, WaitReason } from '../../shared/protocol/lease.ts';
import type { RejectReason } from '../../shared/protocol/reasons.ts';
import type { RunStatus } from '../../shared/protocol/snapshots.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Aggregator } from './aggregator.ts';
import type { RunDefences } from './defence/defences.ts';
import { count } from './facts.ts';
import { Leases, leaseDurations, settledListFacts, type LeaseRecord, type Settlement } from './leases.ts';
import type { Ledger, WorkItem } from './ledger.ts';
import type { Crowd } from './method.ts';
import type { Report } from './report.ts';
import { Rounds } from './rounds.ts';
import type { Sent } from './sent.ts';
import type { Sessions } from './sessions.ts';

/** A worker that waits for anything but its own push asks again after this long, if its pull is not held open. */
export const RETRY_MS = 1000;
/** A coordinator that stops is back after about this long, if it comes back. */
export const LEAVING_RETRY_MS = 3000;

/** The leases that are open are not among it: they are void, and their work is in the ledger's. */
export const deskFacts = z.strictObject({ expired: count, reissued: count, settled: settledListFacts });
export type DeskFacts = z.infer<typeof deskFacts>;

/** A lease with the vector that goes with it, or what there is instead. */
export interface Issue {
  readonly next: Next;
  readonly sent: Sent | null;
}

export interface DeskPush {
  readonly worker: WorkerId;
  readonly lease: LeaseId;
  /** Overwritten. */
  readonly vector: Vec;
  readonly loss: number;
  readonly samples: number;
}

export interface DeskOptions {
  readonly config: RunConfig['leases'];
  readonly lag: Defences['lag'];
  /** See the event `open`. */
  readonly boot: number;
  readonly defences: RunDefences;
  readonly aggregator: Aggregator;
  readonly ledger: Ledger;
  readonly sessions: Sessions;
  readonly report: Report;
}

const instead = (next: Next): Issue => ({ next, sent: null });
const wait = (reason: WaitReason, retryAfterMs: number): Issue => instead({ kind: 'wait', retryAfterMs, reason });

export class Desk {
  readonly leases = new Leases();
  /** Hard deadlines that passed, and leases on work that had been leased before. */
  readonly counts = { expired: 0, reissued: 0 };
  /** Set when work became free or a turn was used up: somebody who waits may be served now. */
  capacityChanged = false;
  /** No more leases. */
  leaving = false;
  readonly crowd: Crowd;
  readonly #options: DeskOptions;
  #issued = 0;
  readonly #rounds = new Rounds();

  constructor(options: DeskOptions) {
    this.#options = options;
    const { leases } = this;
    this.crowd = {
      get outstanding() {
        return leases.onVersion(options.aggregator.version);
      },
      get workers() {
        return options.sessions.expectedCount;
      },
    };
  }

  /** A lease for this worker, or why not. */
  issue(worker: WorkerId, status: RunStatus, nowMs: number): Issue {
    if (status === 'finished' || status === 'stopped') return instead({ kind: 'stop', reason: status });
    if (this.#options.defences.banned(worker) !== null) return instead({ kind: 'stop', reason: 'banned' });
    if (this.leaving) return wait('leaving', LEAVING_RETRY_MS);
    if (status === 'paused') return wait('paused', RETRY_MS);
    const { aggregator, ledger, sessions, config } = this.#options;
    const session = sessions.get(worker);
    const held = this.leases.of(worker);
    if (held.length >= config.perWorker) return wait('lease-limit', RETRY_MS);
    const { outstanding } = this.crowd;
    const round = this.#rounds.current(aggregator.version, outstanding);
    const { axes } = aggregator;
    const open = axes.gate.decide({
      nowMs,
      inFlight: this.leases.inTime,
      heldThisVersion: held.filter((lease) => lease.sent.version === aggregator.version).length,
      settledThisRound: session.settledIn.round === round ? session.settledIn.count : 0,
    });
    if (!open) return wait('gate', 0);
    const items = held.map((lease) => lease.item);
    const wanted = {
      batches: aggregator.batches(worker, nowMs),
      drawn: axes.work.kind === 'local' && axes.work.drawsShards,
    };
    const item = ledger.take(worker, items, wanted) ?? (this.#freeSpare() ? ledger.take(worker, items, wanted) : null);
    if (!item) return wait('no-work', RETRY_MS);
    if (item.issues > 1) this.counts.reissued += 1;
    return this.#lease({ worker, item, round }, nowMs);
  }

  /** Decides a push that was not decided before; `settlement` of the leases knows those that were. */
  settle(push: DeskPush, ended: boolean, nowMs: number): Settlement {
    const { worker, samples } = push;
    const session = this.#options.sessions.get(worker);
    const lease = this.leases.get(push.lease);
    const refuse = (reason: RejectReason): Settlement => {
      session.reject(reason);
      this.#options.defences.refused(worker, reason);
      return { worker, outcome: 'rejected', reason, lag: 0, gap: 0 };
    };
    if (ended) return refuse('run-not-active'); // with the run's end every lease went back
    if (this.#options.defences.banned(worker) !== null) return refuse('banned'); // its leases are gone too
    if (!lease || lease.worker !== worker) return refuse('unknown-lease');
    const { item } = lease;
    const refusal = item.landed
      ? 'superseded'
      : samples !== item.samples
        ? 'wrong-samples'
        : this.#isStale(lease)
          ? 'stale'
          : null;
    if (refusal === null) return this.#fold(push, lease, nowMs);
    const settlement = refuse(refusal);
    this.#late(lease, nowMs);
    this.close(lease, settlement);
    return settlement;
  }

  /** Deadlines that have come: overdue work may be issued again; a lease past its hard deadline is over. */
  expire(nowMs: number): void {
    for (const { lease, deadline } of this.leases.due(nowMs)) {
      if (deadline === 'soft') {
        this.#options.ledger.reissue(lease.item);
        this.capacityChanged = true;
        continue;
      }
      this.counts.expired += 1;
      const session = this.#options.sessions.find(lease.worker);
      session?.reject('expired-lease');
      session?.overran();
      if (this.#options.sessions.present(lease.worker)) this.#late(lease, nowMs);
      const lag = this.#options.aggregator.version - lease.sent.version;
      this.close(lease, { worker: lease.worker, outcome: 'rejected', reason: 'expired-lease', lag, gap: 0 });
    }
  }

  giveBack(worker: WorkerId, id: LeaseId): void {
    const lease = this.leases.get(id);
    if (lease && lease.worker === worker) this.close(lease);
  }

  giveBackAll(leases: readonly LeaseRecord[]): void {
    for (const lease of leases) this.close(lease);
  }

  /** What the worker does not say that it still has is lost, and free again. */
  keepOnly(worker: WorkerId, holding: readonly LeaseId[]): void {
    this.giveBackAll(this.leases.of(worker).filter(({ id }) => !holding.includes(id)));
  }

  /** Nobody waits for this worker from now on, and its work goes to others when there is no other. */
  leftBy(worker: WorkerId): void {
    this.leases.leftBy(worker);
    this.capacityChanged = true;
  }

  /** No more leases, and who waits for one is told. */
  leave(): void {
    this.leaving = true;
    this.capacityChanged = true;
  }

  /** All open leases are void, and nothing is held against anybody. */
  voidAll(): void {
    this.giveBackAll(this.leases.all());
    this.capacityChanged = true;
  }

  /** The work of the open leases, in the order they were issued. */
  leased(): WorkItem[] {
    return this.leases.all().map(({ item }) => item);
  }

  snapshot(): DeskFacts {
    return { ...this.counts, settled: this.leases.settled() };
  }

  restore({ expired, reissued, settled }: DeskFacts): void {
    Object.assign(this.counts, { expired, reissued });
    this.leases.restoreSettled(settled);
  }

  /** Whether there was work of absent workers to be issued again. */
  #freeSpare(): boolean {
    const spare = this.leases.takeSpare();
    for (const { item } of spare) this.#options.ledger.reissue(item);
    return spare.length > 0;
  }

  #late({ worker, issuedAtMs, item }: LeaseRecord, nowMs: number): void {
    const turnaroundMs = (nowMs - issuedAtMs) / item.batches.length;
    this.#options.aggregator.late(worker, { nowMs, turnaroundMs });
  }

  #isStale({ sent }: LeaseRecord): boolean {
    const { lag: limit, aggregator, sessions } = this.#options;
    const lag = aggregator.version - sent.version;
    return limit !== null && lag > limit.least && lag > limit.perWorker * sessions.presentCount;
  }

  /** Ends an open lease that lands nothing; its samples are free again. With a settlement, its turn is used up. */
  close(lease: LeaseRecord, settlement?: Settlement): void {
    this.leases.close(lease, settlement);
    if (settlement) this.#options.sessions.find(lease.worker)?.settle(lease.round);
    this.#options.ledger.giveBack(lease.item);
    this.#options.aggregator.release(lease.sent);
    this.capacityChanged = true;
  }

  #lease({ worker, item, round }: Pick<LeaseRecord, 'worker' | 'item' | 'round'>, nowMs: number): Issue {
    const { aggregator, ledger, sessions, config } = this.#options;
    const { batches } = item;
    const { workers = 1 } = this.crowd;
    const sent = aggregator.pull(worker, workers);
    const id = this.#newId();
    const work = aggregator.work({ epochs: ledger.progress(item), seed: hashText(id), workers });
    const { softMs, hardMs } = leaseDurations(config, sessions.get(worker), batches.length);
    const times = { issuedAtMs: nowMs, softAtMs: nowMs + softMs, hardAtMs: nowMs + hardMs };
    const lease: LeaseRecord = { id, worker, item, work, sent, round, ...times, overdue: false };
    this.leases.issue(lease);
    return { next: { kind: 'lease', lease: said(lease) }, sent };
  }

  /** Never the same as one of an earlier boot: a push for that is not taken for this. */
  #newId(): LeaseId {
    const { boot } = this.#options;
    const number = (++this.#issued).toString(36);
    return asLeaseId(boot === 0 ? `l${number}` : `l${boot.toString(36)}.${number}`);
  }

  /** A push that answers its lease: into θ, unless a screen refuses it. */
  #fold({ worker, vector, loss }: DeskPush, lease: LeaseRecord, nowMs: number): Settlement {
    const { aggregator, ledger, sessions, report, defences } = this.#options;
    const session = sessions.get(worker);
    const { sent, item, work } = lease;
    const { backend } = session.device;
    const check = defences.beforePush({ worker, backend, lease: said(lease), sent, vector, loss });
    this.leases.close(lease); // first: the crowd must not count the lease that is being settled
    session.settle(lease.round);
    const turnaroundMs = nowMs - lease.issuedAtMs;
    const { samples, sequence } = item;
    const batches = item.batches.length;
    const innerLearningRate = work.kind === 'local' ? work.learningRate : undefined;
    const about = { samples, nowMs, turnaroundMs, batches, innerLearningRate, sequence };
    const result = aggregator.push({ worker, sent, vector, ...about }, this.crowd);
    aggregator.release(sent);
    const settlement: Settlement = { worker, ...result };
    this.leases.remember(lease.id, settlement);
    if (result.outcome === 'rejected') {
      session.reject(result.reason);
      defences.refused(worker, result.reason);
      ledger.giveBack(item);
      this.capacityChanged = true;
      return settlement;
    }
    check?.();
    defences.accepted(worker);
    ledger.land(item);
    const { lag, gap } = result;
    const inTime = nowMs < lease.softAtMs;
    const unused = result.reason !== undefined;
    session.accepted({ lag, gap, loss, samples, unused, batchMs: turnaroundMs / batches, inTime }, nowMs);
    report.accepted({ lag, gap, loss, samples }, nowMs);
    if (result.outcome === 'applied') report.updated(nowMs);
    return settlement;
  }
}

/** A lease as its worker is told of it. */
function said({ id, sent, item, work }: LeaseRecord): Lease {
  return { id, baseVersion: sent.version, epoch: item.epoch, work, batches: item.batches };
}
