// How far the runs are, on the standard error: one line that is written over on a terminal, one line a finished run
// elsewhere. The table on the standard output is not touched by it.

import type { Scenario } from '../../sim/scenario.ts';
import type { Watcher } from './runner.ts';

export interface ProgressOptions {
  readonly write: (text: string) => void;
  readonly terminal: boolean;
  readonly nowMs: () => number;
  /** How much work a scenario is, in any unit. */
  readonly costOf: (scenario: Scenario) => number;
}

export class Progress implements Watcher {
  readonly #options: ProgressOptions;
  #scenarios: readonly Scenario[] = [];
  #shares: number[] = [];
  #kept: ReadonlySet<number> = new Set();
  #doneCount = 0;
  #beganMs = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  begin(scenarios: readonly Scenario[], kept: ReadonlySet<number>): void {
    this.#scenarios = scenarios;
    this.#kept = kept;
    this.#shares = scenarios.map((_, index) => (kept.has(index) ? 1 : 0));
    this.#doneCount = kept.size;
    this.#beganMs = this.#options.nowMs();
    if (kept.size > 0) this.#options.write(`${kept.size} of ${scenarios.length} runs were finished before.\n`);
  }

  progress(index: number, share: number): void {
    this.#shares[index] = share;
    if (this.#options.terminal) this.#options.write(`\r\x1b[K${this.#line()}`);
  }

  done(index: number): void {
    this.#shares[index] = 1;
    this.#doneCount += 1;
    const { label, workers, seed } = this.#scenarios[index]!;
    const last = this.#doneCount === this.#scenarios.length;
    if (this.#options.terminal) this.#options.write(`\r\x1b[K${this.#line()}${last ? '\n' : ''}`);
    else this.#options.write(`${this.#line()}: ${label}, ${workers} workers, seed ${seed}\n`);
  }

  #line(): string {
    const left = this.#leftMs();
    const estimate = left === null ? '' : left === 0 ? ', done' : `, about ${inWords(left)} left`;
    return `${this.#doneCount} of ${this.#scenarios.length} runs${estimate}`;
  }

  /** From the work done in this process; null before there is any. */
  #leftMs(): number | null {
    let [done, left] = [0, 0];
    this.#scenarios.forEach((scenario, index) => {
      const cost = this.#options.costOf(scenario);
      const share = this.#shares[index]!;
      if (!this.#kept.has(index)) done += cost * share;
      left += cost * (1 - share);
    });
    if (left === 0) return 0;
    return done === 0 ? null : ((this.#options.nowMs() - this.#beganMs) * left) / done;
  }
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${Math.max(1, seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
