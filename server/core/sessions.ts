// The workers of one run: who is here, who was. Bounded: of those who left, the latest are remembered.

import type { WorkerId } from '../../shared/ids.ts';
import type { Device, WorkerStatus } from '../../shared/protocol/messages.ts';
import type { WorkerRow } from '../../shared/protocol/snapshots.ts';
import { GONE_AFTER_MS, Session } from './session.ts';

/** Rows of workers that left: enough to see who was here today. */
const GONE_REMEMBERED_MAX = 500;

/** What all workers of a run have done together, also those that are not remembered any more: it never falls. */
export interface Totals {
  pushes: number;
  bytesIn: number;
  bytesOut: number;
  readonly refused: Record<string, number>;
}

export class Sessions {
  readonly #sessions = new Map<WorkerId, Session>();
  readonly #forgotten: Totals = { pushes: 0, bytesIn: 0, bytesOut: 0, refused: {} };

  get presentCount(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.present) count += 1;
    return count;
  }

  find(worker: WorkerId): Session | undefined {
    return this.#sessions.get(worker);
  }

  /** The session of a worker that was admitted. Throws for any other: the shell lets nobody else through. */
  get(worker: WorkerId): Session {
    const session = this.#sessions.get(worker);
    if (!session) throw new Error(`invariant violation: no session of worker "${worker}"`);
    return session;
  }

  /** A new worker, or one that is back. */
  join({ worker, name, device }: { worker: WorkerId; name: string; device: Device }, nowMs: number): void {
    const known = this.#sessions.get(worker);
    if (known) {
      known.device = device;
      known.present = true;
      known.said = 'training';
      known.lastSeenMs = nowMs;
      return;
    }
    this.#sessions.set(worker, new Session(worker, name, device, nowMs));
    this.#forgetOldest();
  }

  /** Something came of this worker; when it `speaks` for itself it is here, though it was thought gone. */
  seen(worker: WorkerId, nowMs: number, speaks: boolean): void {
    const session = this.#sessions.get(worker);
    if (!session) return;
    session.lastSeenMs = nowMs;
    if (speaks) session.present = true;
  }

  said(worker: WorkerId, state: WorkerStatus['state']): void {
    this.get(worker).said = state;
  }

  traffic(worker: WorkerId, bytes: { bytesIn: number; bytesOut: number }): void {
    const session = this.#sessions.get(worker);
    if (!session) return;
    session.bytesIn += bytes.bytesIn;
    session.bytesOut += bytes.bytesOut;
  }

  /** False when it was gone already. */
  leave(worker: WorkerId, nowMs: number): boolean {
    const session = this.#sessions.get(worker);
    if (!session?.present) return false;
    session.present = false;
    session.lastSeenMs = nowMs;
    return true;
  }

  /** Present workers that have said nothing for too long. */
  silent(nowMs: number): WorkerId[] {
    const silent: WorkerId[] = [];
    for (const session of this.#sessions.values()) {
      if (session.present && nowMs - session.lastSeenMs > GONE_AFTER_MS) silent.push(session.id);
    }
    return silent;
  }

  rows(nowMs: number, leasesOf: (worker: WorkerId) => number): WorkerRow[] {
    return [...this.#sessions.values()].map((session) => session.row(nowMs, leasesOf(session.id)));
  }

  totals(): Totals {
    const totals = { ...this.#forgotten, refused: { ...this.#forgotten.refused } };
    for (const session of this.#sessions.values()) add(totals, session);
    return totals;
  }

  #forgetOldest(): void {
    const gone = [...this.#sessions.values()].filter(({ present }) => !present);
    if (gone.length <= GONE_REMEMBERED_MAX) return;
    const oldest = gone.reduce((a, b) => (b.lastSeenMs < a.lastSeenMs ? b : a));
    add(this.#forgotten, oldest);
    this.#sessions.delete(oldest.id);
  }
}

function add(totals: Totals, { pushes, bytesIn, bytesOut, refused }: Session): void {
  totals.pushes += pushes;
  totals.bytesIn += bytesIn;
  totals.bytesOut += bytesOut;
  for (const [reason, count] of Object.entries(refused)) totals.refused[reason] = (totals.refused[reason] ?? 0) + count;
}
