// Who sends what is unfit to use. An honest worker looks at its gradient before it sends it, so that broken ones come from
// liars and broken machines, or from parameters that have no gradient. Those everybody fails at: one counts only when
// a push, whoever's, was accepted since the worker's last that did.

import type { RejectReason } from '../../../shared/protocol/reasons.ts';
import type { Records } from './records.ts';

const UNFIT: ReadonlySet<RejectReason> = new Set([
  'not-finite',
  'too-large',
  'too-small',
  'all-zero',
  'wrong-samples',
] as const);
/** So many accepted pushes make up for one: who sends one in five is banned sooner or later. */
const MADE_UP_BY = 4;

export class Broken {
  readonly #limit: number;
  readonly #records: Records;
  /** Whose last one counted, and no push was accepted since. At most as many as pushed in between. */
  readonly #excused = new Set<string>();

  constructor(limit: number, records: Records) {
    this.#limit = limit;
    this.#records = records;
  }

  /** A push was refused. True when it was one too many. */
  refused(worker: string, reason: RejectReason): boolean {
    if (!UNFIT.has(reason) || this.#excused.has(worker)) return false;
    const record = this.#records.touch(worker);
    record.broken += 1;
    this.#excused.add(worker);
    return record.broken >= this.#limit;
  }

  accepted(worker: string): void {
    this.#excused.clear();
    const record = this.#records.find(worker);
    if (record && record.broken > 0) record.broken = Math.max(0, record.broken - 1 / MADE_UP_BY);
  }

  snapshot(): string[] {
    return [...this.#excused];
  }

  restore(excused: readonly string[]): void {
    this.#excused.clear();
    for (const worker of excused) this.#excused.add(worker);
  }
}
