// One worker of one run, as the coordinator knows it: what it said of itself, when it was last heard, and what became
// of its pushes. Presence is decided here from silence alone; sockets only tell when one closed.

import type { WorkerId } from '../../shared/ids.ts';
import type { Device, WorkerStatus } from '../../shared/protocol/messages.ts';
import type { RejectReason } from '../../shared/protocol/reasons.ts';
import type { WorkerRow, WorkerState } from '../../shared/protocol/snapshots.ts';
import { median, Rate, RunningMean } from './rate.ts';

/** Silence after which a worker is thought asleep (three heartbeats), and after which it is gone. */
export const ASLEEP_AFTER_MS = 30_000;
export const GONE_AFTER_MS = 90_000;
/** Times a batch that a worker's speed is judged by. */
const TIMES_KEPT = 15;

export class Session {
  readonly id: WorkerId;
  readonly name: string;
  device: Device;
  lastSeenMs: number;
  /** False once its socket closed, it said goodbye, or it was silent for too long. */
  present = true;
  said: WorkerStatus['state'] = 'training';
  readonly lag = { last: null as number | null, sum: 0, max: null as number | null };
  readonly gap = { last: null as number | null, sum: 0 };
  readonly loss = new RunningMean(0.9);
  readonly samplesRate = new Rate();
  readonly refused: Record<string, number> = {};
  pushes = 0;
  samples = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** The round in which it last had a lease settled, and how many: for gates that work in rounds. */
  settledIn = { round: -1, count: 0 };
  readonly #batchMs: number[] = [];

  constructor(id: WorkerId, name: string, device: Device, nowMs: number) {
    this.id = id;
    this.name = name;
    this.device = device;
    this.lastSeenMs = nowMs;
  }

  /** Median time a batch from a lease to its push, by the coordinator's clock; null before the first. */
  get batchMs(): number | null {
    return median(this.#batchMs);
  }

  accepted(push: { lag: number; gap: number; loss: number; samples: number; batchMs: number }, nowMs: number): void {
    this.pushes += 1;
    this.samples += push.samples;
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
    return nowMs - this.lastSeenMs > ASLEEP_AFTER_MS ? 'asleep' : this.said;
  }

  row(nowMs: number, leases: number): WorkerRow {
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
      refused: { ...this.refused },
      standing: {
        level: 'trusted',
        banned: null,
        keyed: false,
        cosine: null,
        clipped: 0,
        checked: 0,
        failed: 0,
        influence: null,
      },
      leases,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
    };
  }
}
