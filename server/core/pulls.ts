// Pulls, from being asked to being answered: at once when there is a lease or a plain answer; else held open until there is,
// for a while.

import type { WorkerId } from '../../shared/ids.ts';
import type { Next } from '../../shared/protocol/lease.ts';
import type { RunStatus } from '../../shared/protocol/snapshots.ts';
import type { Aggregator } from './aggregator.ts';
import { RETRY_MS, type Desk } from './desk.ts';
import type { RequestId } from './events.ts';
import { PARK_MS, ParkedPulls } from './parked.ts';
import type { Sent } from './sent.ts';

export interface PullsOptions {
  readonly desk: Desk;
  readonly aggregator: Aggregator;
  readonly status: () => RunStatus;
  readonly reply: (request: RequestId, reply: { readonly next: Next }, sent: Sent | null) => void;
}

export class Pulls {
  readonly #options: PullsOptions;
  readonly #parked = new ParkedPulls();
  #servedVersion = 0;
  /** When the gate will let in who waits for it, by time alone. */
  #gateOpensMs: number | null = null;

  constructor(options: PullsOptions) {
    this.#options = options;
  }

  take({ worker, request }: { worker: WorkerId; request: RequestId }, nowMs: number): void {
    const { desk, status, reply } = this.#options;
    const { next, sent } = desk.issue(worker, status(), nowMs);
    if (next.kind !== 'wait' || next.reason === 'lease-limit' || next.reason === 'leaving') {
      return reply(request, { next }, sent);
    }
    const replaced = this.#parked.park({ worker, request, untilMs: nowMs + PARK_MS, reason: next.reason });
    if (replaced) {
      reply(replaced.request, { next: { kind: 'wait', retryAfterMs: RETRY_MS, reason: replaced.reason } }, null);
    }
  }

  /** Answers whom it can, in the order they came, and whose time is over. */
  serve(nowMs: number): void {
    const { desk, aggregator, status, reply } = this.#options;
    const { version } = aggregator;
    const opens = nowMs >= (this.#gateOpensMs ?? Infinity);
    const changed = desk.capacityChanged || opens || this.#servedVersion !== version;
    desk.capacityChanged = false;
    this.#servedVersion = version;
    for (const pull of this.#parked.all()) {
      if (!changed && nowMs < pull.untilMs) continue;
      const { next, sent } = desk.issue(pull.worker, status(), nowMs);
      if (next.kind === 'wait' && next.reason !== 'leaving' && nowMs < pull.untilMs) continue;
      this.#parked.remove(pull);
      reply(pull.request, { next }, sent);
    }
    const opensMs = aggregator.axes.gate.deadlineMs?.() ?? null;
    this.#gateOpensMs = opensMs !== null && opensMs > nowMs ? opensMs : null;
  }

  /** Answers the pull that the worker has open. */
  sendAway(worker: WorkerId): void {
    const pull = this.#parked.takeOf(worker);
    if (!pull) return;
    const next = { kind: 'wait', retryAfterMs: RETRY_MS, reason: pull.reason } as const;
    this.#options.reply(pull.request, { next }, null);
  }

  cancel(request: RequestId): void {
    this.#parked.cancel(request);
  }

  /** When `serve` is needed next; while the run is open, the gate counts too. */
  nextDeadlineMs(ended: boolean): number | null {
    const untilMs = this.#parked.nextDeadlineMs();
    if (untilMs === null || ended || this.#gateOpensMs === null) return untilMs;
    return Math.min(untilMs, this.#gateOpensMs);
  }
}
