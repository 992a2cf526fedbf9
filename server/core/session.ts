// One worker of one run, as the coordinator knows it: what it said of itself, when it was last heard, and what became
// of its pushes. Presence is decided here from silence alone; sockets only tell when one closed.

import * as z from 'zod/mini';
import { asWorkerId, type WorkerId } from '../../shared/ids.ts';
import { deviceSchema, type Device, type WorkerStatus } from '../../shared/protocol/messages.ts';
import type { RejectReason } from '../../shared/protocol/reasons.ts';
import type { Standing, WorkerRow, WorkerState } from '../../shared/protocol/snapshots.ts';
import { count, figure, reasonCounts } from './facts.ts';
import { median, Rate, RunningMean } from './rate.ts';

/** Silence after which a worker is thought asleep (three heartbeats), and after which it is gone. */
export const ASLEEP_AFTER_MS = 30_000;
export const GONE_AFTER_MS = 90_000;
/** Times a batch that a worker's speed is judged by. */
const TIMES_KEPT = 15;
/** Each doubles the time of the next lease: eight times is enough for any machine that is worth waiting for. */
const OVERRUNS_MAX = 3;

export interface Accepted {
  readonly lag: number;
  readonly gap: number;
  readonly loss: number;
  readonly samples: number;
  /** It counted for nothing. */
  readonly unused?: boolean;
  /** From the lease to its push, a batch. */
  readonly batchMs: number;
  /** Before the soft deadline. */
  readonly inTime: boolean;
}

/** A worker written down. */
export const sessionFacts = z.strictObject({
  id: z.string(),
  name: z.string(),
  device: deviceSchema,
  keyed: z.boolean(),
  /** Not gone: it may come back in time. */
  present: z.boolean(),
  lastSeenMs: z.number(),
  lag: z.strictObject({ last: figure, sum: z.number(), max: figure }),
  gap: z.strictObject({ last: figure, sum: z.number() }),
  loss: figure,
  refused: reasonCounts,
  pushes: count,
  samples: count,
  unused: z._default(count, 0),
  bytesIn: count,
  bytesOut: count,
  overruns: count,
  batchMs: z.array(z.number()).check(z.maxLength(TIMES_KEPT)),
});
export type SessionFacts = z.infer<typeof sessionFacts>;

export class Session {
  readonly id: WorkerId;
  readonly name: string;
  device: Device;
  /** It proved a device key. */
  keyed = false;
  lastSeenMs: number;
  /** False once it said goodbye, or was silent for too long. */
  present = true;
  /** Its connection is closed; it may be back in a moment. */
  away = false;
  said: WorkerStatus['state'] = 'training';
  readonly lag = { last: null as number | null, sum: 0, max: null as number | null };
  readonly gap = { last: null as number | null, sum: 0 };
  readonly loss = new RunningMean(0.9);
  readonly samplesRate = new Rate();
  readonly refused: Record<string, number> = {};
  pushes = 0;
  samples = 0;
  /** Of the pushes, those that counted for nothing. */
  unused = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** The round in which it last had a lease settled, and how many: for gates that work in rounds. */
  settledIn = { round: -1, count: 0 };
  /** Leases that were over before it was done, while it was here; less those that it did in time since. */
  overruns = 0;
  readonly #batchMs: number[] = [];

  constructor(id: WorkerId, name: string, device: Device, nowMs: number) {
    this.id = id;
    this.name = name;
    this.device = device;
    this.lastSeenMs = nowMs;
  }

  /** A worker as it was, that is not connected; whether it comes back is judged from `nowMs` on. */
  static from(facts: SessionFacts, nowMs: number): Session {
    const session = new Session(
      asWorkerId(facts.id),
      facts.name,
      facts.device,
      facts.present ? nowMs : facts.lastSeenMs,
    );
    const { keyed, lag, gap, pushes, samples, unused, bytesIn, bytesOut, overruns } = facts;
    const reasons = Object.fromEntries(facts.refused);
    Object.assign(session.lag, lag);
    Object.assign(session.gap, gap);
    Object.assign(session.refused, reasons);
    Object.assign(session, { present: facts.present, away: facts.present });
    Object.assign(session, { keyed, pushes, samples, unused, bytesIn, bytesOut, overruns });
    session.loss.restore(facts.loss);
    session.#batchMs.push(...facts.batchMs);
    return session;
  }

  snapshot(): SessionFacts {
    const { id, name, device, keyed, present, lastSeenMs, pushes, samples, unused, bytesIn, bytesOut, overruns } = this;
    return {
      ...{ id, name, device, keyed, present, lastSeenMs, pushes, samples, unused, bytesIn, bytesOut, overruns },
      lag: { ...this.lag },
      gap: { ...this.gap },
      loss: this.loss.value,
      refused: Object.entries(this.refused) as SessionFacts['refused'],
      batchMs: [...this.#batchMs],
    };
  }

  /** Median time a batch from a lease to its push, by the coordinator's clock; null before the first. */
  get batchMs(): number | null {
    return median(this.#batchMs);
  }

  accepted(push: Accepted, nowMs: number): void {
    this.pushes += 1;
    if (push.inTime) this.overruns = Math.max(0, this.overruns - 1);
    this.samples += push.samples;
    if (push.unused) this.unused += 1;
    this.samplesRate.add(push.samples, nowMs);
    this.lag.last = push.lag;
    this.lag.sum += push.lag;
    this.lag.max = Math.max(this.lag.max ?? 0, push.lag);
    this.gap.last = push.gap;
    this.gap.sum += push.gap;
    this.loss.add(push.loss);
    this.#batchMs.push(push.batchMs);
    if (this.#batchMs.length > TIMES_KEPT) this.#batchMs.shift();
  }

  /** A lease ended by its hard deadline: a worker that is only slow gets more time for the next. */
  overran(): void {
    if (!this.away) this.overruns = Math.min(OVERRUNS_MAX, this.overruns + 1);
  }

  reject(reason: RejectReason): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  /** A lease of this round was answered or expired: its turn is used up. */
  settle(round: number): void {
    if (this.settledIn.round === round) this.settledIn.count += 1;
    else this.settledIn = { round, count: 1 };
  }

  state(nowMs: number): WorkerState {
    if (!this.present) return 'gone';
    if (this.away) return 'asleep';
    return nowMs - this.lastSeenMs > ASLEEP_AFTER_MS ? 'asleep' : this.said;
  }

  row(nowMs: number, leases: number, standing: Standing): WorkerRow {
    const { backend, adapter, fallback, tried } = this.device;
    const mean = (sum: number): number | null => (this.pushes === 0 ? null : sum / this.pushes);
    return {
      id: this.id,
      name: this.name,
      backend,
      adapter,
      fallback,
      tried,
      state: this.state(nowMs),
      lag: { last: this.lag.last, mean: mean(this.lag.sum), max: this.lag.max },
      gap: { last: this.gap.last, mean: mean(this.gap.sum) },
      loss: this.loss.value,
      samplesPerSecond: this.samplesRate.perSecond(nowMs),
      pushes: this.pushes,
      samples: this.samples,
      unused: this.unused,
      refused: { ...this.refused },
      standing,
      leases,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
    };
  }
}
