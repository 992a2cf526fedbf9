// The clip: u = g·min(1, C/‖g‖), with C so many times the median, over the workers that are here, of each worker's own
// median norm. One vote a worker: else whoever pushes most would set C. Norms are a batch, so that a lease of many inner
// steps is not cut for being long. Sun et al. (2019), arXiv 1911.07963, norm bounding; medians in place of a constant.

import { median } from '../rate.ts';
import type { WorkerRecord, Records } from './records.ts';

/** Norms kept a worker. */
const NORMS_KEPT = 15;
/** Norms known of the run below which a median says nothing yet. */
const NORMS_LEAST = 5;
/** C is worked out again after this part of its votes have changed: the cost a push stays the same with any crowd. */
const RENEWED_PART = 1 / 8;

export class Clip {
  readonly #factor: number;
  readonly #records: Records;
  readonly #votes: (worker: string) => boolean;
  #limit = Infinity;
  #changes = 0;
  #voters = 0;

  /** `votes`: whether a worker is here, and not banned. */
  constructor(factor: number, records: Records, votes: (worker: string) => boolean) {
    this.#factor = factor;
    this.#records = records;
    this.#votes = votes;
  }

  /** C a batch; infinite while too little is known. */
  get limit(): number {
    if (this.#changes > RENEWED_PART * this.#voters) this.#renew();
    return this.#limit;
  }

  /** A push was accepted; `norm` is of what came, a batch. */
  saw(record: WorkerRecord, norm: number): void {
    if (norm === 0) return; // of local steps at a learning rate of 0: nothing to measure others by
    record.norms.push(norm);
    if (record.norms.length > NORMS_KEPT) record.norms.shift();
    record.norm = median(record.norms)!;
    this.#changes += 1;
  }

  /** A null limit is an infinite one. */
  snapshot(): { limit: number | null; changes: number; voters: number } {
    const limit = Number.isFinite(this.#limit) ? this.#limit : null;
    return { limit, changes: this.#changes, voters: this.#voters };
  }

  restore({ limit, changes, voters }: ReturnType<Clip['snapshot']>): void {
    this.#limit = limit ?? Infinity;
    this.#changes = changes;
    this.#voters = voters;
  }

  /** Another kind of work, or another method: its norms are others. */
  forget(): void {
    for (const [, record] of this.#records.all()) record.norms = [];
    this.#limit = Infinity;
    this.#changes = 0;
    this.#voters = 0;
  }

  #renew(): void {
    const norms: number[] = [];
    let known = 0;
    for (const [worker, record] of this.#records.all()) {
      if (record.norms.length === 0 || !this.#votes(worker)) continue;
      norms.push(record.norm);
      known += record.norms.length;
    }
    norms.sort((a, b) => a - b);
    // of an even number the lower of the middle two: with fewer than half of the votes nobody moves it past an honest one
    this.#limit = known < NORMS_LEAST ? Infinity : this.#factor * norms[(norms.length - 1) >> 1]!;
    this.#changes = 0;
    this.#voters = norms.length;
  }
}
