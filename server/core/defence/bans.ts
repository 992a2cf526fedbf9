// Who is banned, and why, in words. By the device, where the worker has a key: all of its workers are banned with it.

import { asWorkerId, deviceOf } from '../../../shared/ids.ts';

/** Beyond it the oldest bans are forgotten: ids cost nothing to make, and memory must not grow with them. */
export const BANS_MAX = 10_000;

export class Bans {
  readonly #reasons = new Map<string, string>();

  get size(): number {
    return this.#reasons.size;
  }

  /** Null when it is not banned. */
  reason(worker: string): string | null {
    return this.#reasons.get(key(worker)) ?? null;
  }

  add(worker: string, reason: string): void {
    this.#reasons.set(key(worker), reason);
    if (this.#reasons.size > BANS_MAX) this.#reasons.delete(this.#reasons.keys().next().value!);
  }

  /** False when it was not banned. */
  lift(worker: string): boolean {
    return this.#reasons.delete(key(worker));
  }

  snapshot(): [string, string][] {
    return [...this.#reasons];
  }

  restore(saved: readonly (readonly [string, string])[]): void {
    this.#reasons.clear();
    for (const [worker, reason] of saved) this.#reasons.set(worker, reason);
  }
}

const key = (worker: string): string => deviceOf(asWorkerId(worker));
