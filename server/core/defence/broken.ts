// Who sends what is unfit to use. An honest worker looks at its vector before it sends it, so that broken ones come from liars
// and broken machines, or from parameters that have no gradient. Those everybody fails at: one counts only when a push,
// whoever's, was accepted since the worker's last that did.

import type { RejectReason } from '../../../shared/protocol/reasons.ts';
import type { Records } from './records.ts';

const UNFIT: ReadonlySet<RejectReason> = new Set([
  'not-finite',
  'too-large',
  'too-small',
  'all-zero',
  'wrong-samples',
] as const);
/** So many accepted pushes make up for one: who sends more than one in five is banned sooner or later. */
const MADE_UP_BY = 4;

export class Broken {
  /** Pushes of this run that were accepted. */
  accepted = 0;
  readonly #limit: number;
  readonly #records: Records;

  constructor(limit: number, records: Records) {
    this.#limit = limit;
    this.#records = records;
  }

  /** True when this was one too many. */
  sawRefused(worker: string, reason: RejectReason): boolean {
    if (!UNFIT.has(reason)) return false;
    const record = this.#records.touch(worker);
    if (record.brokenAt === this.accepted) return false;
    record.brokenAt = this.accepted;
    record.broken += 1;
    return record.broken >= this.#limit;
  }

  sawAccepted(worker: string): void {
    this.accepted += 1;
    const record = this.#records.find(worker);
    if (record && record.broken > 0) record.broken = Math.max(0, record.broken - 1 / MADE_UP_BY);
  }
}
