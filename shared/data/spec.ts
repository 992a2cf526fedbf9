// What a data set is to both ends: the shape of a sample, its splits, and the shards it is cut into.

/** One sample is u8, [height, width, channels]; the model sees (u8/255 − mean)/deviation. */
export interface DatasetSpec {
  readonly name: string;
  readonly title: string;
  readonly sampleShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly mean: number;
  readonly deviation: number;
  readonly trainCount: number;
  readonly validationCount: number;
  readonly testCount: number;
}

/** An immutable slice of the training split, addressed by the SHA-256 of its bytes (lower-case hex). */
export interface ShardRef {
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
}

/**
 * Which samples of a shard one step uses: sample j of the batch is number (offset + (start + j)·stride) mod count(shard).
 * The stride is coprime with the shard's count, so the batches of an epoch visit every sample once; both change every
 * epoch. Plain arithmetic, so that a worker in any language finds the same samples.
 */
export interface Batch {
  readonly shard: number;
  readonly start: number;
  readonly count: number;
  readonly offset: number;
  readonly stride: number;
}

/** Samples in memory: labels one byte each, features `sampleBytes` bytes each. */
export interface Samples {
  readonly count: number;
  readonly sampleBytes: number;
  readonly labels: Uint8Array;
  readonly features: Uint8Array;
}

export const sampleBytesOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
