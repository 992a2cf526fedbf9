// What was sent to whom: the vectors that gradients come back against. Workers at one version share one vector; it is
// kept while a lease points at it, and its memory is used again after.

import type { CodecName } from '../../shared/protocol/frame.ts';
import { decodeF16, encodeF16, f16Scale, type PackedF16 } from '../../shared/protocol/f16.ts';
import { zeros } from '../../shared/precision.ts';
import { inOnePass, type Vec } from '../../shared/vec.ts';

/** A vector as its receivers have it: after the rounding of the codec, so a gap is measured against what they used. */
export interface Sent {
  readonly version: number;
  readonly vector: Vec;
  /** `vector` as it travels, for the codec f16. */
  readonly packed: PackedF16 | null;
}

interface Entry extends Sent {
  readonly key: string;
  holders: number;
}

/** Free vectors kept for reuse; more are left to the garbage collector. */
const SPARES_MAX = 4;

export class SentVectors {
  readonly #dim: number;
  readonly #codec: CodecName;
  readonly #entries = new Map<string, Entry>();
  readonly #spares: Pick<Sent, 'vector' | 'packed'>[] = [];

  constructor(dim: number, codec: CodecName) {
    this.#dim = dim;
    this.#codec = codec;
  }

  /** Vectors in memory: as many as there are versions that somebody still works on. */
  get count(): number {
    return this.#entries.size;
  }

  /** The vector for `key`, written by `write` when nobody holds it yet. Each call is one hold, ended by `release`. */
  hold(key: string, version: number, write: (out: Vec) => void): Sent {
    const known = this.#entries.get(key);
    if (known) {
      known.holders += 1;
      return known;
    }
    const { vector, packed } = this.#spares.pop() ?? this.#allocate();
    inOnePass(() => {
      write(vector);
      if (!packed) return;
      packed.scale = f16Scale(vector);
      encodeF16(packed.halves, vector, packed.scale);
      decodeF16(vector, packed.halves, packed.scale);
    });
    const entry: Entry = { key, version, vector, packed, holders: 1 };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Ends one hold. */
  release(sent: Sent): void {
    const entry = sent as Entry;
    entry.holders -= 1;
    if (entry.holders > 0) return;
    this.#entries.delete(entry.key);
    if (this.#spares.length < SPARES_MAX) this.#spares.push(entry);
  }

  #allocate(): Pick<Sent, 'vector' | 'packed'> {
    const packed = this.#codec === 'f16' ? { halves: new Uint16Array(this.#dim), scale: 1 } : null;
    return { vector: zeros(this.#dim), packed };
  }
}
