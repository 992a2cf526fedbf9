// What a push that is fit to use counts for. Clip, probation and cap each scale it down: the first for its length, the others
// for who sends it. What they look at is the push as it came.

import type { Defences } from '../../../shared/config.ts';
import type { Vec } from '../../../shared/vec.ts';
import type { Axes, Guard, Push, Weight } from '../method.ts';
import { Clip } from './clip.ts';
import { Influence } from './influence.ts';
import type { Records, WorkerRecord } from './records.ts';
import { Score, type Judgement } from './score.ts';
import type { Trust } from './trust.ts';

/**
 * The first pushes of a run, when the workers' median may be the liars': they are held to the trusted gradient too, its norm
 * and its direction.
 * A gradient of a small batch is longer than that by its noise, at the beginning seldom three times.
 */
const COLD_PUSHES = 100;
const COLD_FACTOR = 3;

export interface GuardOptions {
  readonly config: Defences;
  readonly records: Records;
  readonly trust: Trust;
  /** Is this worker here, and not banned? */
  readonly present: (worker: string) => boolean;
  readonly presentCount: () => number;
  /** Are the workers' samples known by heart? */
  readonly byHeart: () => boolean;
  readonly condemned: (worker: string, judgement: Judgement) => void;
}

export class PushGuard implements Guard {
  readonly clip: Clip | null;
  readonly influence: Influence | null;
  readonly score: Score | null;
  readonly #options: GuardOptions;
  /** Pushes of this run so far. */
  pushes = 0;

  constructor(options: GuardOptions) {
    const { config, records, present, presentCount, byHeart } = options;
    this.#options = options;
    this.clip = config.clip === null ? null : new Clip(config.clip, records, present);
    this.influence = config.influence === null ? null : new Influence(config.influence, presentCount);
    this.score = config.score === null ? null : new Score(config.score, records, { counts: present, byHeart });
  }

  weigh(vector: Vec, push: Push, work: Axes['work']): Weight {
    const { records, trust, condemned } = this.#options;
    const record = records.touch(push.worker);
    const cosine = trust.cosine(vector, push.norm, push.baseVersion);
    const clipped = this.#clipped(push, work);
    const wanted = this.#onProbation(record, cosine);
    const granted = this.influence?.grant(push.worker, wanted) ?? wanted;
    if (clipped < 1 || granted < wanted) record.clipped += 1;
    this.pushes += 1;
    if (cosine === null || cosine >= 0) record.trial += 1;
    this.clip?.saw(record, push.norm / push.batches);
    const judgement = cosine === null ? null : this.score?.saw(push.worker, record, cosine);
    if (judgement) condemned(push.worker, judgement);
    return { clip: clipped, trust: granted };
  }

  /** Another method: pushes of before are not to be compared with those that come. */
  reset(): void {
    this.clip?.forget();
    this.score?.forget();
  }

  #clipped(push: Push, work: Axes['work']): number {
    if (this.clip === null) return 1;
    const { trust } = this.#options;
    let limit = this.clip.limit * push.batches;
    if (this.pushes < COLD_PUSHES && trust.norm !== null) {
      limit = Math.min(limit, COLD_FACTOR * reach(trust.norm, push, work));
    }
    return push.norm > limit ? limit / push.norm : 1;
  }

  /**
   * What the push counts for by the worker's time here. One on probation that points the wrong way counts for nothing, and
   * does not end it. At the beginning of a run, when nobody's word can be held against it, one counts by its cosine, and
   * nothing while the first trusted gradient is being taken: FLTrust's rule, Cao et al. (2021), arXiv 2012.13995, eq. 2.
   */
  #onProbation(record: WorkerRecord, cosine: number | null): number {
    const { probation } = this.#options.config;
    if (probation === null || record.trial >= probation.pushes) return 1;
    if (cosine === null) return this.#options.trust.isFirst ? 0 : probation.weight;
    if (this.pushes < COLD_PUSHES) return probation.weight * Math.max(0, cosine);
    return cosine < 0 ? 0 : probation.weight;
  }
}

/** How long an honest push is where every batch has a gradient of that norm: of local steps, how far they may lead. */
function reach(norm: number, { batches, innerLearningRate, theta }: Push, work: Axes['work']): number {
  if (work.kind === 'gradient') return norm;
  const { optimizer, mixing, elastic } = work.inner;
  if (elastic) return Infinity; // from parameters of the worker's own
  const steps = (batches * innerLearningRate) / (1 - (mixing?.probability ?? 0));
  switch (optimizer.name) {
    case 'sgd':
      return steps * norm;
    case 'momentum':
      return (steps * norm) / (1 - optimizer.momentum);
    case 'adamw':
      return steps * Math.sqrt(theta.length); // a step moves each parameter by about η, whatever the gradient
    default:
      return optimizer satisfies never;
  }
}
