// Who is here, who is away, who is gone, and what that means for leases: those of a worker that is away stay open, but
// nothing waits for them; those of one that is gone come back. When somebody spoke is in session.ts.

import type { WorkerId } from '../../shared/ids.ts';
import type { Aggregator } from './aggregator.ts';
import type { Desk } from './desk.ts';
import type { CoordinatorEvent } from './events.ts';
import type { Ledger } from './ledger.ts';
import type { Sessions } from './sessions.ts';

type Kind = CoordinatorEvent['type'];
/** Events that show a worker not to be gone, whatever was thought of it; `traffic` may be the tail of one that left. */
const SPEAKS: ReadonlySet<Kind> = new Set(['pull', 'push', 'status']);
/** Events that end a worker's absence: a push may have been under way when its connection was closed. */
const RETURNS: ReadonlySet<Kind> = new Set(['join', 'pull', 'status']);

export interface PresenceOptions {
  readonly sessions: Sessions;
  readonly desk: Desk;
  readonly ledger: Ledger;
  readonly aggregator: Aggregator;
  /** More workers than this are never away at once. */
  readonly awayMax: number;
  /** Answers the pull that a worker has open. */
  readonly sendAway: (worker: WorkerId) => void;
}

export class Presence {
  readonly #options: PresenceOptions;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Something came of this worker. */
  heard(worker: WorkerId, kind: Kind, nowMs: number): void {
    const { sessions, desk } = this.#options;
    sessions.seen(worker, nowMs, SPEAKS.has(kind));
    if (RETURNS.has(kind) && sessions.back(worker)) desk.leases.returned(worker);
  }

  /** A new worker, or one that is back. What it had, and does not say that it still has, is lost on the way. */
  join(event: Extract<CoordinatorEvent, { type: 'join' }>, nowMs: number): void {
    const { sessions, desk } = this.#options;
    sessions.join(event, nowMs);
    if (event.holding) desk.keepOnly(event.worker, event.holding);
  }

  /** Its connection is closed. It keeps its leases, but nothing waits for it. */
  away(worker: WorkerId, nowMs: number): void {
    const { sessions, desk, sendAway, awayMax } = this.#options;
    if (!sessions.away(worker)) return;
    desk.leftBy(worker);
    sendAway(worker);
    const tooMany = sessions.awayTooMany(awayMax);
    if (tooMany !== null) this.leave(tooMany, nowMs);
  }

  /** It is gone. */
  leave(worker: WorkerId, nowMs: number): void {
    const { sessions, desk, ledger, aggregator, sendAway } = this.#options;
    desk.giveBackAll(desk.leases.of(worker));
    desk.leases.returned(worker);
    sendAway(worker);
    ledger.forget(worker);
    if (sessions.leave(worker, nowMs)) aggregator.leave(worker);
  }

  /** Those that have been silent for too long are gone. */
  leaveSilent(nowMs: number): void {
    for (const worker of this.#options.sessions.silent(nowMs)) this.leave(worker, nowMs);
  }
}
