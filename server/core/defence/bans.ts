// Who is banned, and why, in words. By the device, where the worker has a key: all of its workers are banned with it. The
// operator's bans and those of the defences are counted apart: strangers can bring about any number of the latter.

import { asWorkerId, deviceOf } from '../../../shared/ids.ts';

/** Of each of the two; beyond it the oldest are forgotten: ids cost nothing to make, and memory must not grow with them. */
export const BANS_MAX = 10_000;

export type BannedBy = 'operator' | 'defences';
type Saved = readonly (readonly [worker: string, reason: string])[];

export class Bans {
  readonly #reasons: Record<BannedBy, Map<string, string>> = { operator: new Map(), defences: new Map() };

  get size(): number {
    return this.#reasons.operator.size + this.#reasons.defences.size;
  }

  /** Null when it is not banned. */
  reason(worker: string): string | null {
    const { operator, defences } = this.#reasons;
    return operator.get(key(worker)) ?? defences.get(key(worker)) ?? null;
  }

  /** One of the operator stays the operator's, whatever the defences find. */
  add(worker: string, reason: string, by: BannedBy): void {
    if (by === 'defences' && this.#reasons.operator.has(key(worker))) return;
    this.#reasons.defences.delete(key(worker));
    const reasons = this.#reasons[by];
    reasons.set(key(worker), reason);
    if (reasons.size > BANS_MAX) reasons.delete(reasons.keys().next().value!);
  }

  /** False when it was not banned. */
  lift(worker: string): boolean {
    const { operator, defences } = this.#reasons;
    return [operator.delete(key(worker)), defences.delete(key(worker))].includes(true);
  }

  snapshot(by: BannedBy): [string, string][] {
    return [...this.#reasons[by]];
  }

  restore(saved: Readonly<Record<BannedBy, Saved>>): void {
    for (const by of ['operator', 'defences'] as const) this.#reasons[by] = new Map(saved[by]);
  }
}

const key = (worker: string): string => deviceOf(asWorkerId(worker));
