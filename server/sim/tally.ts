// Counts what becomes of every push of a run, as the coordinator answers it.

import type { PushReply } from '../../shared/protocol/lease.ts';
import type { RejectReason } from '../../shared/protocol/reasons.ts';
import type { Histogram, RunEnd } from './row.ts';

/** Decades of the gap are cut into so many bins. */
const GAP_BINS_PER_DECADE = 10;

export class Tally {
  samples = 0;
  /** Of these, the ones whose pushes counted for nothing. */
  unusedSamples = 0;
  computedSamples = 0;
  /** Why the run cannot go on; null while it can. */
  fault: Exclude<RunEnd, 'finished'> | null = null;
  readonly refused: Partial<Record<RejectReason, number>> = {};
  /** Validation losses as the coordinator measured them: the first, and the highest. */
  firstLoss: number | null = null;
  worstLoss: number | null = null;
  #pushes = 0;
  #lagSum = 0;
  #gapSum = 0;
  readonly #lags = new Map<number, number>();
  readonly #gaps = new Map<number, number>();

  get lagMean(): number | null {
    return this.#pushes === 0 ? null : this.#lagSum / this.#pushes;
  }

  get gapMean(): number | null {
    return this.#pushes === 0 ? null : this.#gapSum / this.#pushes;
  }

  get lags(): Histogram {
    return sorted(this.#lags);
  }

  get gaps(): Histogram {
    return sorted(this.#gaps);
  }

  /** A worker has computed this many samples, whatever comes of them. */
  computed(samples: number, loss: number, honest: boolean): void {
    this.computedSamples += samples;
    if (honest && !Number.isFinite(loss)) this.fault ??= 'diverged';
  }

  measured(loss: number): void {
    this.firstLoss ??= loss;
    this.worstLoss = Math.max(this.worstLoss ?? loss, Number.isNaN(loss) ? Infinity : loss);
  }

  answered({ outcome, reason, repeated, lag, gap }: PushReply, samples: number, honest: boolean): void {
    if (repeated) return;
    if (outcome === 'rejected') return this.#reject(reason as RejectReason, honest);
    this.#pushes += 1;
    this.samples += samples;
    if (reason !== undefined) this.unusedSamples += samples;
    this.#lagSum += lag;
    this.#gapSum += gap;
    count(this.#lags, lag);
    if (gap > 0) count(this.#gaps, Math.floor(GAP_BINS_PER_DECADE * Math.log10(gap)));
  }

  #reject(reason: RejectReason, honest: boolean): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
    if (!honest) return;
    if (reason === 'not-finite' || reason === 'too-large') this.fault ??= 'diverged';
    // The gradient of an honest worker is all zeros only where there is nothing more to learn.
    if (reason === 'all-zero') this.fault ??= 'stalled';
  }
}

function count(histogram: Map<number, number>, bin: number): void {
  histogram.set(bin, (histogram.get(bin) ?? 0) + 1);
}

const sorted = (histogram: ReadonlyMap<number, number>): Histogram => [...histogram].sort(([a], [b]) => a - b);
