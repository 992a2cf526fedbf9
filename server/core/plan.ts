// The order of the data: which batches make an epoch. A function of (seed, epoch, shard sizes) alone.

import type { Batch } from '../../shared/data/spec.ts';
import type { Rng } from '../../shared/rng.ts';

export interface BatchesOptions {
  /** Samples of each shard. */
  readonly shards: readonly number[];
  readonly batchSize: number;
  readonly random: Rng;
}

/** The batches of one shard in one epoch: every sample of the shard exactly once, the last batch maybe shorter. */
export function shardBatches(
  random: Rng,
  at: { epoch: number; shard: number; count: number; batchSize: number },
): Batch[] {
  const { epoch, shard, count, batchSize } = at;
  const stream = random.fork(`order/${epoch}/${shard}`);
  const offset = stream.below(count);
  const stride = coprime(count, 1 + stream.below(count));
  const batches: Batch[] = [];
  for (let start = 0; start < count; start += batchSize) {
    batches.push({ shard, start, count: Math.min(batchSize, count - start), offset, stride });
  }
  return batches;
}

/** The batches of a run that were written down by shard and place, made again; each is there once an epoch. */
export class Batches {
  readonly #options: BatchesOptions;
  readonly #made = new Map<string, (Batch | null)[]>();
  readonly #samples = new Map<number, number>();

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Samples of this epoch in batches taken. */
  taken(epoch: number): number {
    return this.#samples.get(epoch) ?? 0;
  }

  /** Throws when there is no such batch, or it was taken already. */
  take(epoch: number, shard: number, index: number): Batch {
    const batches = this.#of(epoch, shard);
    const batch = batches[index];
    if (!batch) throw new Error(`ledger: no batch ${index} of shard ${shard} in epoch ${epoch}, or twice`);
    batches[index] = null;
    this.#samples.set(epoch, this.taken(epoch) + batch.count);
    return batch;
  }

  takeLast(epoch: number, shard: number, many: number): Batch[] {
    const { length } = this.#of(epoch, shard);
    return Array.from({ length: many }, (_, i) => this.take(epoch, shard, length - many + i));
  }

  #of(epoch: number, shard: number): (Batch | null)[] {
    const { shards, batchSize, random } = this.#options;
    const count = shards[shard];
    if (count === undefined) throw new Error(`ledger: no shard ${shard}, of ${shards.length}`);
    const key = `${epoch}/${shard}`;
    const known = this.#made.get(key) ?? shardBatches(random, { epoch, shard, count, batchSize });
    this.#made.set(key, known);
    return known;
  }
}

/** The first number from `from` upwards (around, within 1 … n) that has no divisor in common with n. */
function coprime(n: number, from: number): number {
  for (let stride = from; stride <= n; stride++) if (gcd(stride, n) === 1) return stride;
  return 1;
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
