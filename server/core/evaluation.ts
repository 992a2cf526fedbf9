// When θ is measured on the held-out split, and what came of it. One measurement at a time; when one takes longer than
// the interval, versions are skipped, never queued. The test set is read once, after the run's end.

import * as z from 'zod/mini';
import type { Split } from './events.ts';

/** Failures in a row after which a run goes on unmeasured: the cause is not the moment's. */
const FAILURES_MAX = 3;
/** A run that can go back is measured at least so often while it is young: nobody is known yet, and liars may come first. */
const EARLY_VERSIONS = 200;
const EARLY_EVERY_VERSIONS = 50;

const figures = z.strictObject({ loss: z.number(), accuracy: z.number() });
export type Figures = Readonly<z.infer<typeof figures>>;

/** The measurement that was under way is not among them: it is begun anew. Nor are failures: the cause may be gone. */
export const evaluationFacts = z.strictObject({
  begun: z.int(),
  measured: z.int(),
  interrupted: z.boolean(),
  validation: z.nullable(figures),
  test: z.nullable(figures),
});
export type EvaluationFacts = z.infer<typeof evaluationFacts>;

export class Evaluation {
  readonly #everyVersions: number;
  readonly #guarded: boolean;
  #running: Split | null = null;
  /** A measurement was under way when the run was written down. */
  #interrupted = false;
  #failures = 0;
  /** The last version whose measurement was begun, and the last whose measurement was made. */
  #begunVersion = -1;
  #measuredVersion = -1;
  validation: Figures | null = null;
  test: Figures | null = null;

  /** `guarded`: the run goes back when θ is bad, so that θ is measured before the first update too, and often at first. */
  constructor(everyVersions: number, { guarded = false } = {}) {
    this.#everyVersions = everyVersions;
    this.#guarded = guarded;
  }

  /** The split to measure now, if any; the caller then starts it. */
  next(version: number, ended: boolean): Split | null {
    if (this.#running || this.#failures >= FAILURES_MAX) return null;
    const due = ended ? this.#measuredVersion !== version : this.#interrupted || this.#isDue(version);
    if (due) return this.#begin('validation', version);
    return ended && this.test === null ? this.#begin('test', version) : null;
  }

  /** Figures that are not finite were measured, but are not known; of the test set it counts as a failure. */
  done(split: Split, { loss, accuracy }: Figures): void {
    const known = Number.isFinite(loss) && Number.isFinite(accuracy);
    this.#running = null;
    this.#failures = split === 'test' && !known ? this.#failures + 1 : 0;
    if (split === 'validation') this.#measuredVersion = this.#begunVersion;
    this[split] = known ? { loss, accuracy } : null;
  }

  /** The measurement could not be made. It is tried again when it is due, but not for ever. */
  failed(): void {
    this.#running = null;
    this.#failures += 1;
  }

  snapshot(): EvaluationFacts {
    return {
      begun: this.#begunVersion,
      measured: this.#measuredVersion,
      interrupted: this.#interrupted || this.#running === 'validation',
      validation: this.validation,
      test: this.test,
    };
  }

  restore(facts: EvaluationFacts): void {
    this.#begunVersion = facts.begun;
    this.#measuredVersion = facts.measured;
    this.#interrupted = facts.interrupted;
    this.validation = facts.validation;
    this.test = facts.test;
  }

  #isDue(version: number): boolean {
    if (this.#begunVersion < 0 && this.#guarded) return true;
    const early = this.#guarded && version <= EARLY_VERSIONS;
    const every = early ? Math.min(EARLY_EVERY_VERSIONS, this.#everyVersions) : this.#everyVersions;
    return version - Math.max(0, this.#begunVersion) >= every;
  }

  #begin(split: Split, version: number): Split {
    this.#running = split;
    this.#interrupted = false;
    if (split === 'validation') this.#begunVersion = version;
    return split;
  }
}
