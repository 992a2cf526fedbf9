// Leases on two clocks. After the soft deadline the same work may go to somebody else too; after the hard one a push is
// refused. A settled lease is remembered for a while, so that a push sent twice gets its first answer twice.

import * as z from 'zod/mini';
import type { RunConfig } from '../../shared/config.ts';
import { TimeHeap } from '../../shared/heap.ts';
import { asLeaseId, asWorkerId, type LeaseId, type WorkerId } from '../../shared/ids.ts';
import {
  PUSH_REJECTIONS,
  UNUSED_REASONS,
  type RejectReason,
  type UnusedReason,
} from '../../shared/protocol/reasons.ts';
import type { Outcome, Work } from '../../shared/protocol/lease.ts';
import type { WorkItem } from './ledger.ts';
import type { Sent } from './sent.ts';

/** Answers kept for pushes that are sent again: minutes of work at a thousand pushes a second. */
const SETTLED_MAX = 20_000;

/** Of these the latest are written down: of the pushes that a worker may send again because the coordinator was stopped. */
const SETTLED_WRITTEN_MAX = 1000;

/** id, worker, outcome, reason, lag, gap */
const settledFacts = z.tuple([
  z.string(),
  z.string(),
  z.enum(['applied', 'buffered', 'rejected']),
  z.nullable(z.enum([...PUSH_REJECTIONS, ...UNUSED_REASONS])),
  z.number(),
  z.number(),
]);
export const settledListFacts = z.array(settledFacts).check(z.maxLength(SETTLED_WRITTEN_MAX));
export type SettledFacts = z.infer<typeof settledListFacts>;

/** Deadlines kept of leases that are over: a worker of long leases may take and release them faster than they come due. */
const DEADLINES_SPARE_MAX = 10_000;

export interface LeaseRecord {
  readonly id: LeaseId;
  readonly worker: WorkerId;
  readonly item: WorkItem;
  readonly work: Work;
  readonly sent: Sent;
  /** See `Gate`. */
  readonly round: number;
  readonly issuedAtMs: number;
  readonly softAtMs: number;
  readonly hardAtMs: number;
  /** The soft deadline has passed. */
  overdue: boolean;
}

/** What a settled lease's push was answered. */
export interface Settlement {
  readonly worker: WorkerId;
  readonly outcome: Outcome;
  readonly reason?: RejectReason | UnusedReason;
  readonly lag: number;
  readonly gap: number;
}

/** However slow a worker is said to be, its work is not kept from the others for longer. */
export const SOFT_MS_MAX = 3_600_000;

export interface Pace {
  /** Median time a batch; null while it is not known. */
  readonly batchMs: number | null;
  /** See `Session`. */
  readonly overruns: number;
}

/**
 * Soft = max(softMinMs, softFactor × the worker's median time a batch × the lease's batches), doubled for each overrun, and
 * at most SOFT_MS_MAX; hard = hardFactor × soft. Of a worker whose speed is not known yet, each batch may take softMinMs.
 */
export function leaseDurations(
  { softMinMs, softFactor, hardFactor }: RunConfig['leases'],
  { batchMs, overruns }: Pace,
  batches = 1,
): { softMs: number; hardMs: number } {
  const expectedMs = batchMs === null ? softMinMs * batches : Math.max(softMinMs, softFactor * batchMs * batches);
  const softMs = Math.min(SOFT_MS_MAX, expectedMs * 2 ** overruns);
  return { softMs, hardMs: hardFactor * softMs };
}

export class Leases {
  readonly #open = new Map<LeaseId, LeaseRecord>();
  readonly #byWorker = new Map<WorkerId, Set<LeaseRecord>>();
  readonly #settled = new Map<LeaseId, Settlement>();
  /** Workers that nobody waits for; their leases stay open. */
  readonly #absent = new Set<WorkerId>();
  /** Leases of absent workers whose work was not issued again since they went. */
  readonly #spare = new Set<LeaseRecord>();
  /** Ids, not records: an entry outlives its lease, and must not keep a vector in memory. */
  #deadlines = new TimeHeap<LeaseId>();

  get outstanding(): number {
    return this.#open.size;
  }

  /** Of these, the ones of workers that are waited for. */
  get awaited(): number {
    let count = 0;
    for (const [worker, records] of this.#byWorker) if (!this.#absent.has(worker)) count += records.size;
    return count;
  }

  /** In memory: of open leases, and of some that are over. */
  get deadlines(): number {
    return this.#deadlines.size;
  }

  of(worker: WorkerId): readonly LeaseRecord[] {
    return [...(this.#byWorker.get(worker) ?? [])];
  }

  all(): readonly LeaseRecord[] {
    return [...this.#open.values()];
  }

  get(id: LeaseId): LeaseRecord | undefined {
    return this.#open.get(id);
  }

  settlement(id: LeaseId): Settlement | undefined {
    return this.#settled.get(id);
  }

  /** Open leases on one version of θ, of workers that are here, whose soft deadline has not come. */
  onVersion(version: number): number {
    let count = 0;
    for (const { sent, worker, overdue } of this.#open.values()) {
      if (sent.version === version && !overdue && !this.#absent.has(worker)) count += 1;
    }
    return count;
  }

  /** Open leases of workers that are here, whose soft deadline has not come. */
  get inTime(): number {
    let count = 0;
    for (const { overdue, worker } of this.#open.values()) if (!overdue && !this.#absent.has(worker)) count += 1;
    return count;
  }

  /** From now on nobody waits for this worker's leases. */
  leftBy(worker: WorkerId): void {
    this.#absent.add(worker);
    for (const lease of this.of(worker)) if (!lease.overdue) this.#spare.add(lease);
  }

  /** It is here again, or gone for good. */
  returned(worker: WorkerId): void {
    this.#absent.delete(worker);
    for (const lease of this.of(worker)) this.#spare.delete(lease);
  }

  /** Leases of absent workers whose work was not issued again: each is given once. */
  takeSpare(): readonly LeaseRecord[] {
    const spare = [...this.#spare];
    this.#spare.clear();
    return spare;
  }

  issue(lease: LeaseRecord): void {
    this.#open.set(lease.id, lease);
    const own = this.#byWorker.get(lease.worker) ?? new Set();
    own.add(lease);
    this.#byWorker.set(lease.worker, own);
    this.#deadlines.push(lease.softAtMs, lease.id);
    if (this.#deadlines.size > 2 * this.#open.size + DEADLINES_SPARE_MAX) this.#forgetOver();
  }

  #forgetOver(): void {
    this.#deadlines = new TimeHeap();
    for (const { id, overdue, softAtMs, hardAtMs } of this.#open.values()) {
      this.#deadlines.push(overdue ? hardAtMs : softAtMs, id);
    }
  }

  /** Takes an open lease out; with a settlement, its answer is remembered. */
  close(lease: LeaseRecord, settlement?: Settlement): void {
    this.#open.delete(lease.id);
    this.#spare.delete(lease);
    const own = this.#byWorker.get(lease.worker);
    own?.delete(lease);
    if (own?.size === 0) this.#byWorker.delete(lease.worker);
    if (settlement) this.remember(lease.id, settlement);
  }

  /** Keeps a push's answer, in case the push is sent again. */
  remember(id: LeaseId, settlement: Settlement): void {
    this.#settled.set(id, settlement);
    if (this.#settled.size <= SETTLED_MAX) return;
    for (const oldest of this.#settled.keys()) {
      this.#settled.delete(oldest);
      break;
    }
  }

  /** The latest answers. */
  settled(): SettledFacts {
    const latest = [...this.#settled].slice(-SETTLED_WRITTEN_MAX);
    return latest.map(([id, { worker, outcome, reason, lag, gap }]) => {
      return [id, worker, outcome, (reason ?? null) as SettledFacts[number][3], lag, gap];
    });
  }

  restoreSettled(facts: SettledFacts): void {
    for (const [id, worker, outcome, reason, lag, gap] of facts) {
      this.remember(asLeaseId(id), { worker: asWorkerId(worker), outcome, ...(reason && { reason }), lag, gap });
    }
  }

  nextDeadlineMs(): number | null {
    for (;;) {
      const first = this.#deadlines.peek();
      if (!first) return null;
      if (this.#open.has(first.item)) return first.atMs;
      this.#deadlines.pop();
    }
  }

  /** Every open lease whose deadline has come, once for the soft one and once for the hard one. */
  *due(nowMs: number): Generator<{ lease: LeaseRecord; deadline: 'soft' | 'hard' }> {
    for (;;) {
      const atMs = this.nextDeadlineMs();
      if (atMs === null || atMs > nowMs) return;
      const lease = this.#open.get(this.#deadlines.pop()!.item)!;
      if (lease.overdue) yield { lease, deadline: 'hard' };
      else {
        lease.overdue = true;
        this.#spare.delete(lease);
        this.#deadlines.push(lease.hardAtMs, lease.id);
        yield { lease, deadline: 'soft' };
      }
    }
  }
}
