// The coordinator: several runs behind one door. Deterministic: it reads no clock, socket, file or random source, so the
// same events at the same times leave the same bits. The shells around it are in server/adapters and server/sim.

import type { LeaseId, RunId, WorkerId } from '../../shared/ids.ts';
import { pushKindOf, type OpenLease } from '../../shared/protocol/lease.ts';
import type { Refusal } from '../../shared/protocol/version.ts';
import type { DashboardSnapshot, MetricsPage, RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import type { CoordinatorEvent, Effect, RunSetup } from './events.ts';
import type { EpochAccount } from './ledger.ts';
import { Run } from './run.ts';
import type { RunSnapshot } from './snapshot.ts';
import type { Totals } from './sessions.ts';
import type { Vec } from '../../shared/vec.ts';

/** More runs than one process can serve. */
export const RUNS_MAX = 64;

export type RunView = Omit<DashboardSnapshot, 'health' | 'notes'>;

export class Coordinator {
  readonly #runs = new Map<RunId, Run>();

  /** What follows from one event. Throws only for our own errors: an unknown run or worker must not get this far. */
  handle(event: CoordinatorEvent, nowMs: number): Effect[] {
    switch (event.type) {
      case 'open':
        return this.#open(event, nowMs);
      case 'drain':
      case 'tick':
        return [...this.#runs.values()].flatMap((run) => run.handle(event, nowMs));
      default:
        return this.#run(event.run).handle(event, nowMs);
    }
  }

  /** When `tick` is needed next, if nothing happens before; null when it is not. */
  nextDeadlineMs(): number | null {
    let next: number | null = null;
    for (const run of this.#runs.values()) {
      const deadline = run.nextDeadlineMs();
      if (deadline !== null && (next === null || deadline < next)) next = deadline;
    }
    return next;
  }

  has(run: RunId): boolean {
    return this.#runs.has(run);
  }

  /** Why a new worker, or this one, cannot be admitted; null when it can. */
  refusal(run: RunId, worker?: WorkerId): Refusal | null {
    const found = this.#runs.get(run);
    if (!found) return 'unknown-run';
    if (found.ended) return 'run-ended';
    if (worker !== undefined && found.defences.banned(worker) !== null) return 'banned';
    return found.sessions.presentCount >= found.setup.config.workersMax ? 'too-many-workers' : null;
  }

  /** Whether the run still knows this worker. */
  knows(run: RunId, worker: WorkerId): boolean {
    return this.#runs.get(run)?.sessions.find(worker) !== undefined;
  }

  /** Whether the run knows this worker and has not banned it. */
  serves(run: RunId, worker: WorkerId): boolean {
    return this.knows(run, worker) && this.#run(run).defences.banned(worker) === null;
  }

  /** Whether the worker is here at the moment: neither gone nor away. */
  present(run: RunId, worker: WorkerId): boolean {
    const session = this.#runs.get(run)?.sessions.find(worker);
    return session !== undefined && session.present && !session.away;
  }

  /** Whether the worker is neither here nor away: it said goodbye, was silent for too long, or is not known. */
  gone(run: RunId, worker: WorkerId): boolean {
    return this.#runs.get(run)?.sessions.find(worker)?.present !== true;
  }

  /** What the push of a worker's open lease must be; null when it has no such lease. */
  lease(run: RunId, worker: WorkerId, lease: LeaseId): OpenLease | null {
    const record = this.#runs.get(run)?.desk.leases.get(lease);
    if (record?.worker !== worker) return null;
    return { baseVersion: record.sent.version, kind: pushKindOf(record.work) };
  }

  /** Whether it is a lease of this worker, open or settled lately. */
  knowsLease(run: RunId, worker: WorkerId, lease: LeaseId): boolean {
    const leases = this.#runs.get(run)?.desk.leases;
    return (leases?.get(lease) ?? leases?.settlement(lease))?.worker === worker;
  }

  setup(run: RunId): RunSetup {
    return this.#run(run).setup;
  }

  summaries(nowMs: number): RunSummary[] {
    return [...this.#runs.values()].map((run) => run.report.summary(run, run.clock.at(nowMs)));
  }

  summary(run: RunId, nowMs: number): RunSummary {
    const found = this.#run(run);
    return found.report.summary(found, found.clock.at(nowMs));
  }

  workers(run: RunId, nowMs: number): WorkerRow[] {
    const { sessions, desk, defences, clock } = this.#run(run);
    return sessions.rows(clock.at(nowMs), {
      leases: (worker) => desk.leases.of(worker).length,
      standing: (worker, keyed) => defences.standing(worker, keyed),
    });
  }

  totals(run: RunId): Totals {
    return this.#run(run).sessions.totals();
  }

  metrics(run: RunId, since: number): MetricsPage {
    return this.#run(run).report.metrics(since);
  }

  ledger(run: RunId): readonly EpochAccount[] {
    return this.#run(run).ledger.accounts;
  }

  /** All that a run is now, its open leases void: a copy, to be opened with some day. Changes nothing. */
  snapshot(run: RunId, nowMs: number): RunSnapshot {
    return this.#run(run).snapshot(nowMs);
  }

  /** Updates applied to θ. */
  version(run: RunId): number {
    return this.#run(run).aggregator.version;
  }

  /** Leases that are out, of all runs and of workers that are here: after `drain` they get fewer. */
  awaited(): number {
    return [...this.#runs.values()].reduce((sum, { desk }) => sum + desk.leases.awaited, 0);
  }

  /** What the dashboard shows of the run itself. */
  view(run: RunId, since: number, nowMs: number): RunView {
    const { leases, counts } = this.#run(run).desk;
    return {
      run: this.summary(run, nowMs),
      workers: this.workers(run, nowMs),
      metrics: this.metrics(run, since),
      leases: { outstanding: leases.outstanding, ...counts },
    };
  }

  /** θ now: read only. */
  params(run: RunId): Vec {
    return this.#run(run).aggregator.theta;
  }

  #open(event: Extract<CoordinatorEvent, { type: 'open' }>, nowMs: number): Effect[] {
    const { id } = event.setup.config;
    if (this.#runs.has(id)) throw new Error(`there is a run "${id}" already`);
    if (this.#runs.size >= RUNS_MAX) throw new Error(`there are ${RUNS_MAX} runs already: a coordinator has no more`);
    const run = new Run(event, nowMs);
    this.#runs.set(id, run);
    return run.opened(event.snapshot !== undefined);
  }

  #run(id: RunId): Run {
    const run = this.#runs.get(id);
    if (!run) throw new Error(`invariant violation: no run "${id}"`);
    return run;
  }
}
