// How many workers of a run one address has: each has a place there, from its hello on, until another needs it and it is gone.
// One that lost its place says hello again, so that nobody is here without a place who once came by one.

import type { RunId, WorkerId } from '../../shared/ids.ts';
import type { Identity } from '../door.ts';

/** Where a place is. */
export interface Spot {
  readonly run: RunId;
  readonly address: string;
}

export class Places {
  readonly #gone: (run: RunId, worker: WorkerId) => boolean;
  /** By run and address; no more in all than there are identities. */
  readonly #taken = new Map<string, Set<Identity>>();
  readonly #spots = new WeakMap<Identity, string>();
  readonly #lost = new WeakSet<Identity>();

  /** `gone`: whether a worker is neither here nor expected back. */
  constructor(gone: (run: RunId, worker: WorkerId) => boolean) {
    this.#gone = gone;
  }

  has(identity: Identity): boolean {
    return this.#spots.has(identity);
  }

  /** Whether it had a place that is another's now. */
  lost(identity: Identity): boolean {
    return this.#lost.has(identity);
  }

  /** Whether one more has a place; when all are taken, that of one that is gone is made free. */
  room(spot: Spot, max: number): boolean {
    const taken = this.#taken.get(key(spot));
    if (!taken || taken.size < max) return true;
    for (const identity of taken) {
      if (!this.#gone(identity.run, identity.worker)) continue;
      this.free(identity);
      this.#lost.add(identity);
      return true;
    }
    return false;
  }

  take(identity: Identity, spot: Spot): void {
    const taken = this.#taken.get(key(spot)) ?? new Set();
    this.#taken.set(key(spot), taken.add(identity));
    this.#spots.set(identity, key(spot));
    this.#lost.delete(identity);
  }

  free(identity: Identity): void {
    const spot = this.#spots.get(identity);
    if (spot === undefined) return;
    const taken = this.#taken.get(spot)!;
    taken.delete(identity);
    if (taken.size === 0) this.#taken.delete(spot);
    this.#spots.delete(identity);
  }
}

const key = ({ run, address }: Spot): string => `${run} ${address}`;
