// Leases on two clocks. After the soft deadline the same work may go to somebody else too; after the hard one a push is
// refused. A settled lease is remembered for a while, so that a push sent twice gets its first answer twice.

import type { RunConfig } from '../../shared/config.ts';
import { TimeHeap } from '../../shared/heap.ts';
import type { LeaseId, WorkerId } from '../../shared/ids.ts';
import type { RejectReason } from '../../shared/protocol/reasons.ts';
import type { Outcome, Work } from '../../shared/protocol/lease.ts';
import type { WorkItem } from './ledger.ts';
import type { Sent } from './sent.ts';

/** Answers kept for pushes that are sent again: minutes of work at a thousand pushes a second. */
const SETTLED_MAX = 20_000;

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
  readonly reason?: RejectReason;
  readonly lag: number;
  readonly gap: number;
}

/**
 * Soft = max(softMinMs, softFactor × the worker's median time a batch × the lease's batches); hard = hardFactor × soft. Of a
 * worker whose speed is not known yet, each batch may take softMinMs.
 */
export function leaseDurations(
  config: RunConfig['leases'],
  batchMs: number | null,
  batches = 1,
): { softMs: number; hardMs: number } {
  const { softMinMs, softFactor, hardFactor } = config;
  const softMs = batchMs === null ? softMinMs * batches : Math.max(softMinMs, softFactor * batchMs * batches);
  return { softMs, hardMs: hardFactor * softMs };
}

export class Leases {
  readonly #open = new Map<LeaseId, LeaseRecord>();
  readonly #byWorker = new Map<WorkerId, Set<LeaseRecord>>();
  readonly #settled = new Map<LeaseId, Settlement>();
  /** Ids, not records: an entry outlives its lease, and must not keep a vector in memory. */
  #deadlines = new TimeHeap<LeaseId>();

  get outstanding(): number {
    return this.#open.size;
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

  /** Open leases on one version of θ. */
  onVersion(version: number): number {
    let count = 0;
    for (const lease of this.#open.values()) if (lease.sent.version === version) count += 1;
    return count;
  }

  /** Open leases whose soft deadline has not come. */
  get inTime(): number {
    let count = 0;
    for (const lease of this.#open.values()) if (!lease.overdue) count += 1;
    return count;
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
        this.#deadlines.push(lease.hardAtMs, lease.id);
        yield { lease, deadline: 'soft' };
      }
    }
  }
}
