// Who has not read its last parameters yet. A worker has at most one blob on its way: the next waits for it to leave this
// process, so that one who does not read costs one blob, however many versions pass meanwhile.

import { STREAM_REQUESTS_MAX } from '../../../shared/protocol/stream.ts';
import type { Identity } from '../../door.ts';

/** Of one worker, over whatever connections: each is a request that is kept. Ours have a pull and their leases' pushes. */
const WAITING_MAX = STREAM_REQUESTS_MAX;

interface Reader {
  blobs: number;
  readonly waiting: Set<() => void>;
}

export class Unread {
  /** As many as workers are known. */
  readonly #readers = new WeakMap<Identity, Reader>();

  has(identity: Identity): boolean {
    return (this.#readers.get(identity)?.blobs ?? 0) > 0;
  }

  /** Now, or when what is on its way has left. Gives back how to stop waiting; null when too many wait already. */
  whenRead(identity: Identity, go: () => void): (() => void) | null {
    const reader = this.#readers.get(identity);
    if (!reader || reader.blobs === 0) {
      go();
      return () => undefined;
    }
    const { waiting } = reader;
    if (waiting.size >= WAITING_MAX) return null;
    waiting.add(go);
    return () => void waiting.delete(go);
  }

  /** A blob is on its way. Gives back what to call, once or more often, when it has left or never will. */
  sending(identity: Identity): () => void {
    const reader = this.#readers.get(identity) ?? { blobs: 0, waiting: new Set() };
    this.#readers.set(identity, reader);
    reader.blobs += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      reader.blobs -= 1;
      for (const go of reader.waiting) {
        if (reader.blobs > 0) return;
        reader.waiting.delete(go);
        go();
      }
    };
  }
}
