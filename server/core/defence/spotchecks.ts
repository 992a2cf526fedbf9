// Spot checks: some leases are computed again by the coordinator, which knows their samples and parameters. Which, is
// decided when the push is there, by a draw that only the coordinator can make: a checked lease looks like any other.
//
// The chance is q = max(least, newcomer·min(1, 44/passed)), with `passed` the checks that agreed since the last that did
// not: trust is earned by checks passed (Sarmenta 2001, credibility). At 10 % whoever always cheats is found within 44
// pushes in 99 of 100 cases (0.9⁴⁴ < 0.01), at the floor of 2 % within 228.

import type { Rng } from '../../../shared/rng.ts';
import type { WorkerRecord } from './records.ts';
import type { Comparison } from './verdict.ts';

export interface SpotCheckOptions {
  readonly newcomer: number;
  readonly least: number;
}

/** Checks passed from which on they get rarer, and after which a failed one is forgiven. */
const PASSED_LONG = 44;
/** After a failed check each push is checked until so many agree: a liar is found at once, noise is forgiven soon. */
const PASSED_AFTER_STRIKE = 4;
/** Under way at once, of a run: each holds two vectors. */
const OUTSTANDING_MAX = 4;
/** Checks that a worker may be owed: what is drawn while others are under way falls to its next pushes. */
const OWED_MAX = 44;
/** Below this cosine one check is enough: no backend's rounding turns a vector by 60 degrees. */
const GROSS_COSINE = 0.5;

export type Plan = 'check' | 'repay' | 'owe' | 'nothing';

export class SpotChecks {
  readonly #by: SpotCheckOptions;
  readonly #random: Rng;
  readonly #outstanding = new Map<number, string>();
  #issued = 0;

  constructor(by: SpotCheckOptions, random: Rng) {
    this.#by = by;
    this.#random = random;
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Whether the push of this lease is drawn: the same answer however often it is asked. */
  draws(lease: string, record: WorkerRecord | undefined): boolean {
    return this.#random.fork(`check/${lease}`).next() < this.#chance(record);
  }

  /** What is to be done about a push: check it now, in its own right or for an earlier one, or owe the check. */
  plan(lease: string, record: WorkerRecord | undefined): Plan {
    const drawn = this.draws(lease, record);
    if (this.#outstanding.size >= OUTSTANDING_MAX) return drawn ? 'owe' : 'nothing';
    if (drawn) return 'check';
    return (record?.owed ?? 0) > 0 ? 'repay' : 'nothing';
  }

  /** One more of this worker's next pushes is to be checked. */
  owe(record: WorkerRecord): void {
    record.owed = Math.min(OWED_MAX, record.owed + 1);
  }

  repaid(record: WorkerRecord): void {
    record.owed -= 1;
  }

  /** The number of a check that begins now. */
  begin(worker: string): number {
    const check = ++this.#issued;
    this.#outstanding.set(check, worker);
    return check;
  }

  /** Whose check that is; undefined when it is none of ours. It is over. */
  end(check: number): string | undefined {
    const worker = this.#outstanding.get(check);
    this.#outstanding.delete(check);
    return worker;
  }

  /** Takes in a check's result: why the worker is to be banned, or null. */
  judge(record: WorkerRecord, result: Comparison): string | null {
    record.checked += 1;
    if (result.same) {
      record.passed += 1;
      if (record.passed >= PASSED_LONG) record.struck = false;
      return null;
    }
    const again = record.struck;
    record.failed += 1;
    record.passed = 0;
    record.trial = 0;
    record.struck = true;
    if (!again && result.cosine >= GROSS_COSINE) return null;
    const [distance, lossOff] = [result.distance.toPrecision(2), result.lossOff.toPrecision(2)];
    const figures = `cosine ${result.cosine.toFixed(3)}, distance ${distance}, loss off by ${lossOff} of it`;
    return again
      ? `two of its leases were computed again and differ from what it pushed: ${figures} the second time`
      : `a lease of it was computed again and is not what it pushed: ${figures}`;
  }

  #chance(record: WorkerRecord | undefined): number {
    const { newcomer, least } = this.#by;
    if (record?.struck && record.passed < PASSED_AFTER_STRIKE) return 1;
    return Math.max(least, newcomer * Math.min(1, PASSED_LONG / Math.max(1, record?.passed ?? 0)));
  }
}
