// Cuts the training split into shards: the immutable blobs that volunteers fetch and browsers cache, by their hash.

import { createHash } from 'node:crypto';
import { encodeShard } from '../../shared/data/shard.ts';
import type { Samples, ShardRef } from '../../shared/data/spec.ts';
import { permutation, rng } from '../../shared/rng.ts';

export interface CutOptions {
  readonly seed: number | string;
  /** Samples a shard; the last one may hold fewer. 2,000 of 28 × 28 are 1.6 MB: one quick download. */
  readonly shardSamples?: number;
}

export interface Shards {
  /** In lease order: a batch's `shard` is an index into it. */
  readonly refs: readonly ShardRef[];
  /** By SHA-256, lower-case hex. */
  readonly blobs: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Deals every training sample into exactly one shard, in an order that depends on the seed and the count alone. */
export function cutShards(train: Samples, { seed, shardSamples = 2000 }: CutOptions): Shards {
  if (!Number.isInteger(shardSamples) || shardSamples < 1) {
    throw new Error(`a shard of ${shardSamples} samples cannot be cut`);
  }
  const order = permutation(train.count, rng(`shards/${seed}`));
  const refs: ShardRef[] = [];
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let start = 0; start < train.count; start += shardSamples) {
    const indices = order.subarray(start, start + shardSamples);
    const blob = encodeShard(train, indices);
    const sha256 = createHash('sha256').update(blob).digest('hex');
    refs.push({ sha256, bytes: blob.byteLength, count: indices.length });
    blobs.set(sha256, blob);
  }
  return { refs, blobs };
}
