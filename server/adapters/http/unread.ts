// Who has not read its last parameters yet. A worker has at most one blob on its way: the next waits for it to leave this
// process, so that one who does not read costs one blob, however many versions pass meanwhile.

import type { Identity } from '../../door.ts';

interface Reader {
  blobs: number;
  readonly waiting: (() => void)[];
}

export class Unread {
  /** Bounded by the workers that are known; what waits of one, by its requests that are under way. */
  readonly #readers = new WeakMap<Identity, Reader>();

  has(identity: Identity): boolean {
    return (this.#readers.get(identity)?.blobs ?? 0) > 0;
  }

  /** Now, or when what is on its way has left. */
  whenRead(identity: Identity, go: () => void): void {
    if (this.has(identity)) this.#readers.get(identity)!.waiting.push(go);
    else go();
  }

  /** A blob is on its way. Gives back what to call, once or more often, when it has left or never will. */
  sending(identity: Identity): () => void {
    const reader = this.#readers.get(identity) ?? { blobs: 0, waiting: [] };
    this.#readers.set(identity, reader);
    reader.blobs += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      reader.blobs -= 1;
      while (reader.blobs === 0 && reader.waiting.length > 0) reader.waiting.shift()!();
    };
  }
}
