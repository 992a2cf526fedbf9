// The order of the data: which batches make an epoch. A function of (seed, epoch, shard sizes) alone.

import type { Batch } from '../../shared/data/spec.ts';
import type { Rng } from '../../shared/rng.ts';

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

/** The first number from `from` upwards (around, within 1 … n) that has no divisor in common with n. */
function coprime(n: number, from: number): number {
  for (let stride = from; stride <= n; stride++) if (gcd(stride, n) === 1) return stride;
  return 1;
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
