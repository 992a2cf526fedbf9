// Shards in memory, the least recently used given up first. The browser's own HTTP cache keeps them on disk.

import type { Samples } from '../../shared/data/spec.ts';

/** All of CIFAR-10's training split is 150 MB; a tab with more than this is asked for by its browser's task manager. */
export const SHARD_CACHE_BYTES_MAX = 256 * 2 ** 20;

export class ShardCache {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, { readonly shard: Promise<Samples>; bytes: number }>();
  #bytes = 0;

  constructor(bytesMax = SHARD_CACHE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The shard of this address, loaded once even if it is asked for twice at the same time. A failure is not kept. */
  get(sha256: string, load: () => Promise<Samples>): Promise<Samples> {
    const known = this.#entries.get(sha256);
    if (known !== undefined) {
      this.#entries.delete(sha256);
      this.#entries.set(sha256, known);
      return known.shard;
    }
    const shard = load();
    const entry = { shard, bytes: 0 };
    this.#entries.set(sha256, entry);
    shard.then(
      (samples) => this.#loaded(sha256, samples),
      () => this.#entries.delete(sha256),
    );
    return shard;
  }

  #loaded(sha256: string, samples: Samples): void {
    const entry = this.#entries.get(sha256);
    if (entry === undefined) return;
    entry.bytes = samples.labels.byteLength + samples.features.byteLength;
    this.#bytes += entry.bytes;
    for (const [key, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      if (key === sha256 || bytes === 0) continue; // the newest stays whatever its size; the others are still loading
      this.#entries.delete(key);
      this.#bytes -= bytes;
    }
  }
}
