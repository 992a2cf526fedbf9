// Which samples a leased batch means. The coordinator leases positions; in a sharded run they are the positions of a
// shard, as a volunteer reads them; in a shuffled one each epoch's positions are dealt anew over the whole data set.

import type { Batch } from '../../shared/data/spec.ts';
import { permutation, type Rng } from '../../shared/rng.ts';
import type { Fleet } from './fleet.ts';

/** Samples a shard of a sharded run. */
export const SHARD_SAMPLES = 2000;
/** Shuffles kept: with late pushes an epoch begins before the last has ended. */
const EPOCHS_KEPT = 2;

export interface SampleOrder {
  /** For the coordinator. */
  readonly shardCounts: readonly number[];
  indices(epoch: number, batch: Batch): Uint32Array;
}

export function sampleOrder(kind: Fleet['order'], count: number, random: Rng): SampleOrder {
  return kind === 'sharded' ? sharded(count) : shuffled(count, random);
}

function sharded(count: number): SampleOrder {
  const shardCounts: number[] = [];
  for (let start = 0; start < count; start += SHARD_SAMPLES) shardCounts.push(Math.min(SHARD_SAMPLES, count - start));
  return {
    shardCounts,
    indices: (_epoch, batch) => {
      const first = batch.shard * SHARD_SAMPLES;
      return indicesOf(batch, shardCounts[batch.shard]!, (position) => first + position);
    },
  };
}

function shuffled(count: number, random: Rng): SampleOrder {
  const shuffles = new Map<number, Uint32Array>();
  const shuffleOf = (epoch: number): Uint32Array => {
    const known = shuffles.get(epoch);
    if (known) return known;
    const made = permutation(count, random.fork(`shuffle/${epoch}`));
    shuffles.set(epoch, made);
    if (shuffles.size > EPOCHS_KEPT) shuffles.delete(Math.min(...shuffles.keys()));
    return made;
  };
  return {
    shardCounts: [count],
    indices: (epoch, batch) => {
      const shuffle = shuffleOf(epoch);
      return indicesOf(batch, count, (position) => shuffle[position]!);
    },
  };
}

/** A batch's samples, in its order: `sampleAt` their positions, which `Batch` defines. */
function indicesOf({ start, count, offset, stride }: Batch, of: number, sampleAt: (position: number) => number) {
  const indices = new Uint32Array(count);
  for (let j = 0; j < count; j++) indices[j] = sampleAt((offset + (start + j) * stride) % of);
  return indices;
}
