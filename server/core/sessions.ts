// The workers of one run: who is here, who was. Bounded: of those who left, the latest are remembered.

import * as z from 'zod/mini';
import type { WorkerId } from '../../shared/ids.ts';
import type { Device, WorkerStatus } from '../../shared/protocol/messages.ts';
import type { Standing, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { count, reasonCounts } from './facts.ts';
import { GONE_AFTER_MS, Session, sessionFacts } from './session.ts';

/** Rows of workers that left: enough to see who was here today. */
const GONE_REMEMBERED_MAX = 500;

/** What all workers of a run have done together, also those that are not remembered any more: it never falls. */
export interface Totals {
  pushes: number;
  bytesIn: number;
  bytesOut: number;
  readonly refused: Record<string, number>;
}

export const sessionsFacts = z.strictObject({
  workers: z.array(sessionFacts),
  /** Of workers that are not among them any more. */
  forgotten: z.strictObject({ pushes: count, bytesIn: count, bytesOut: count, refused: reasonCounts }),
});
export type SessionsFacts = z.infer<typeof sessionsFacts>;

export class Sessions {
  readonly #sessions = new Map<WorkerId, Session>();
  readonly #forgotten: Totals = { pushes: 0, bytesIn: 0, bytesOut: 0, refused: {} };

  /** Workers that are here: neither gone nor away. */
  get presentCount(): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.present && !session.away) count += 1;
    return count;
  }

  /** Workers that are not gone: of the state, whoever is connected. */
  get expectedCount(): number {
    let count = 0;
    for (const { present } of this.#sessions.values()) if (present) count += 1;
    return count;
  }

  /** What those that `counts` say of their loss lately, nats; of so many that say something, and are not gone. */
  losses(counts: (worker: WorkerId) => boolean): { losses: number[]; crowd: number } {
    const losses: number[] = [];
    let crowd = 0;
    for (const { id, present, loss } of this.#sessions.values()) {
      if (!present || loss.value === null) continue;
      crowd += 1;
      if (counts(id)) losses.push(loss.value);
    }
    return { losses, crowd };
  }

  /** Whether this worker is. */
  present(worker: string): boolean {
    const session = this.#sessions.get(worker as WorkerId);
    return session !== undefined && session.present && !session.away;
  }

  /** Every worker is gone. */
  get allGone(): boolean {
    for (const session of this.#sessions.values()) if (session.present) return false;
    return true;
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
  join(
    { worker, name, device, keyed = false }: { worker: WorkerId; name: string; device: Device; keyed?: boolean },
    nowMs: number,
  ): void {
    const known = this.#sessions.get(worker);
    if (known) {
      known.device = device;
      known.keyed = keyed;
      known.present = true;
      known.away = false;
      known.said = 'training';
      known.lastSeenMs = nowMs;
      return;
    }
    const session = new Session(worker, name, device, nowMs);
    session.keyed = keyed;
    this.#sessions.set(worker, session);
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

  /** Its connection is closed. False when it was away or gone already. */
  away(worker: WorkerId): boolean {
    const session = this.#sessions.get(worker);
    if (!session?.present || session.away) return false;
    session.away = true;
    return true;
  }

  /** It speaks again. False when it was not away. */
  back(worker: WorkerId): boolean {
    const session = this.#sessions.get(worker);
    if (!session?.away) return false;
    session.away = false;
    return true;
  }

  /** Of more than so many workers that are away, the one that is so for longest. */
  awayTooMany(max: number): WorkerId | null {
    const away = [...this.#sessions.values()].filter((session) => session.away);
    if (away.length <= max) return null;
    return away.reduce((a, b) => (b.lastSeenMs < a.lastSeenMs ? b : a)).id;
  }

  /** False when it was gone already. */
  leave(worker: WorkerId, nowMs: number): boolean {
    const session = this.#sessions.get(worker);
    if (!session?.present) return false;
    session.present = false;
    session.away = false;
    session.lastSeenMs = nowMs;
    return true;
  }

  /** Workers that are not gone and have said nothing for too long. */
  silent(nowMs: number): WorkerId[] {
    const silent: WorkerId[] = [];
    for (const session of this.#sessions.values()) {
      if (session.present && nowMs - session.lastSeenMs > GONE_AFTER_MS) silent.push(session.id);
    }
    return silent;
  }

  rows(
    nowMs: number,
    of: { leases: (worker: WorkerId) => number; standing: (worker: WorkerId, keyed: boolean) => Standing },
  ): WorkerRow[] {
    return [...this.#sessions.values()].map((session) => {
      const { id, keyed } = session;
      return session.row(nowMs, of.leases(id), of.standing(id, keyed));
    });
  }

  totals(): Totals {
    const totals = { ...this.#forgotten, refused: { ...this.#forgotten.refused } };
    for (const session of this.#sessions.values()) add(totals, session);
    return totals;
  }

  /** Workers that are not gone. */
  expected(): WorkerId[] {
    return [...this.#sessions.values()].filter(({ present }) => present).map(({ id }) => id);
  }

  snapshot(): SessionsFacts {
    const { refused, ...sums } = this.#forgotten;
    return {
      workers: [...this.#sessions.values()].map((session) => session.snapshot()),
      forgotten: { ...sums, refused: Object.entries(refused) as SessionsFacts['forgotten']['refused'] },
    };
  }

  /** As they were; nobody is connected. */
  restore({ workers, forgotten }: SessionsFacts, nowMs: number): void {
    for (const facts of workers) {
      const session = Session.from(facts, nowMs);
      this.#sessions.set(session.id, session);
    }
    const { refused, ...sums } = forgotten;
    Object.assign(this.#forgotten, sums);
    Object.assign(this.#forgotten.refused, Object.fromEntries(refused));
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
