// The score: how well a worker's pushes agree with the trusted gradient, over many of them. One push of a small batch says
// little (a gate on each would refuse half of the honest work); the mean of forty tells a liar from an unlucky one.
//
// Each push is held against what the others pushed at the same time: cosines shrink as a run converges and swing while θ
// does, and a slow worker's last forty go further back than a fast one's.

import { median } from '../rate.ts';
import type { Records, WorkerRecord } from './records.ts';

export interface ScoreOptions {
  readonly below: number;
  readonly window: number;
  readonly least: number;
}

/**
 * Standard errors of doubt that a worker is given. The others must lead by as many, and by as many times their own spread, or
 * nobody is judged: in a run that has converged cosines are noise around 0, and whoever is judged for ever is below any bound
 * one day. Together an honest worker is six of them away from a ban.
 */
const ERRORS = 3;
/**
 * Where the others' mean cosine is less, nobody is judged: a run that has learnt its samples by heart has gradients of a few
 * hard ones, which lead away from the held-out samples as often as towards them, each worker's in its own way.
 */
const OTHERS_MEAN_LEAST = 0.2;
/**
 * Workers whose loss is so many times less than the loss on held-out samples have learnt their samples by heart: each one's
 * gradient is of the few hard samples on its own shard, and where it leads says nothing of the worker.
 */
const BY_HEART = 4;
/** A normal distribution's standard deviation, by its median absolute deviation. */
const NORMAL_PER_MAD = 1.4826;
/** Others that must have pushed lately, to be compared with; and of how many the last push is known, one vote each. */
const OTHERS_LEAST = 3;
const RECENT_WORKERS = 64;
/**
 * With fewer others: banned when the mean is surely below this. An honest push points along the gradient on average, so
 * that its cosines are above 0; when it is stale and θ swings, or the run has converged, their mean may be a little below.
 * What is turned round is at −0.3 to −0.9 while there is something to learn.
 */
const FLOOR = -0.25;
/** Pushes that count as one where they are alike. */
const BATCH = 4;
/** A worker is judged at every fourth push: often enough, and fewer draws from the noise. */
const JUDGED_EVERY = 4;

export interface Judgement {
  readonly mean: number;
  readonly pushes: number;
  /** The mean of the others' medians at these pushes; null when there were too few of them. */
  readonly others: number | null;
}

/** The middle of what the workers say, and the loss on held-out samples, nats; null when not known. */
export interface Losses {
  readonly workers: number | null;
  readonly heldOut: number | null;
}

export const knownByHeart = ({ workers, heldOut }: Losses): boolean =>
  workers !== null && heldOut !== null && heldOut > BY_HEART * workers;

export interface Circumstances {
  /** Whether a worker is one to be compared with. */
  readonly counts: (worker: string) => boolean;
  /** Whether nobody is to be judged now, the samples being known by heart. */
  readonly byHeart: () => boolean;
}

/** A worker's last cosine. */
type Recent = readonly [worker: string, cosine: number];

export class Score {
  readonly #by: ScoreOptions;
  readonly #records: Records;
  readonly #counts: (worker: string) => boolean;
  readonly #byHeart: () => boolean;
  /** Whoever pushed last is the last. */
  #recent: Recent[] = [];

  constructor(by: ScoreOptions, records: Records, { counts, byHeart }: Circumstances) {
    this.#by = by;
    this.#records = records;
    this.#counts = counts;
    this.#byHeart = byHeart;
  }

  /** Takes in the cosine of a push; what speaks for a ban, if it does for the second time. */
  saw(worker: string, record: WorkerRecord, cosine: number): Judgement | null {
    const { window, least } = this.#by;
    this.#recent = this.#recent.filter(([other]) => other !== worker).slice(1 - RECENT_WORKERS);
    record.others.push(this.#median());
    record.cosines.push(cosine);
    this.#recent.push([worker, cosine]);
    if (record.cosines.length > window) {
      record.others.shift();
      record.cosines.shift();
    }
    record.scored += 1;
    const due = record.cosines.length >= least && (record.scored - least) % JUDGED_EVERY === 0;
    const found = due ? this.#judge(worker, record) : null;
    const judgement = found && this.#byHeart() ? null : found;
    if (judgement && record.doubted) return judgement;
    if (judgement) this.#doubt(record);
    else if (record.cosines.length >= window) record.doubted = false;
    return null;
  }

  /** Who pushed last, of those that one is compared with. */
  lately(): string[] {
    return this.#recent.map(([worker]) => worker).filter((worker) => this.#counts(worker));
  }

  /** Its mean cosine; null while there are too few. */
  meanOf(record: WorkerRecord): number | null {
    return record.cosines.length < this.#by.least ? null : mean(record.cosines);
  }

  /** What was seen is of no use any more. */
  forget(): void {
    this.#recent = [];
    for (const [, record] of this.#records.all()) {
      record.scored = 0;
      record.others = [];
      record.cosines = [];
    }
  }

  snapshot(): [string, number][] {
    return this.#recent.map(([worker, cosine]) => [worker, cosine]);
  }

  restore(recent: readonly Recent[]): void {
    this.#recent = [...recent];
  }

  #judge(worker: string, { cosines, others }: WorkerRecord): Judgement | null {
    const { below, least } = this.#by;
    if (others.every((other) => other === null)) {
      const own = mean(cosines);
      const surely = own + ERRORS * standardError(cosines) < FLOOR;
      return surely ? { mean: own, pushes: cosines.length, others: null } : null;
    }
    const known = others.flatMap((other, i) => (other === null ? [] : [[cosines[i]!, other] as const]));
    if (known.length < least) return null;
    const [own, theirs] = [mean(known.map(([one]) => one)), mean(known.map(([, other]) => other))];
    const error = standardError(known.map(([one, other]) => one - below * other));
    if (own + ERRORS * error >= below * theirs) return null;
    const clear = theirs >= OTHERS_MEAN_LEAST && (1 - below) * theirs >= ERRORS * Math.max(error, this.#spread(worker));
    return clear ? { mean: own, pushes: known.length, others: theirs } : null;
  }

  /** How far apart the others' own means are: 1.4826 times the median of their distances from their median. */
  #spread(worker: string): number {
    const means: number[] = [];
    for (const [other, { cosines }] of this.#records.all()) {
      if (other !== worker && this.#counts(other) && cosines.length >= OTHERS_LEAST) means.push(mean(cosines));
    }
    const middle = median(means) ?? 0;
    return NORMAL_PER_MAD * (median(means.map((one) => Math.abs(one - middle))) ?? Infinity);
  }

  /** Begins anew, as a newcomer: one such judgement in a long run may be chance, or a bad hour of the gradient. */
  #doubt(record: WorkerRecord): void {
    record.doubted = true;
    record.trial = 0;
    record.cosines = [];
    record.others = [];
  }

  /** Of the last cosines of the others that are here now. */
  #median(): number | null {
    const cosines = this.#recent.filter(([other]) => this.#counts(other)).map(([, cosine]) => cosine);
    return cosines.length < OTHERS_LEAST ? null : median(cosines);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Of the mean, from the values' own spread; or from that of batches of four in a row, if that is more: pushes that follow each
 * other meet the same gradient, and are not as many as they seem (batch means: Conway 1963, doi 10.1287/mnsc.10.1.47).
 */
function standardError(values: readonly number[]): number {
  const batches = Array.from({ length: Math.floor(values.length / BATCH) }, (_, i) =>
    mean(values.slice(i * BATCH, (i + 1) * BATCH)),
  );
  return Math.max(errorOf(values), errorOf(batches));
}

function errorOf(values: readonly number[]): number {
  const around = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - around) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
