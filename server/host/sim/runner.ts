// Runs scenarios, a worker thread each, as many at once as there are cores. Rows come back in the order of the scenarios,
// whichever ended first; what was run before is taken from the shelf of finished rows.

import type { Worker } from 'node:worker_threads';
import type { RunRow } from '../../sim/row.ts';
import type { Scenario } from '../../sim/scenario.ts';
import { startThread } from '../../thread.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import type { FinishedRows } from './finished.ts';

export interface Watcher {
  /** `kept`: how many of them were finished before. */
  begin(scenarios: readonly Scenario[], kept: ReadonlySet<number>): void;
  progress(index: number, share: number): void;
  done(index: number): void;
}

export interface RunnerOptions {
  readonly dataDir: string;
  readonly threads: number;
  readonly finished: FinishedRows;
  readonly watcher: Watcher;
  /** Ends everything: `runAll` rejects with its reason. */
  readonly signal: AbortSignal;
}

/** Rejects with the first failure, or with the signal's reason; rows finished until then are kept. */
export async function runAll(scenarios: readonly Scenario[], options: RunnerOptions): Promise<RunRow[]> {
  const { finished, watcher, signal, threads } = options;
  const rows: (RunRow | null)[] = await Promise.all(scenarios.map((scenario) => finished.find(scenario)));
  const kept = new Set([...rows.keys()].filter((index) => rows[index] !== null));
  const waiting = [...rows.keys()].filter((index) => !kept.has(index));
  watcher.begin(scenarios, kept);
  if (waiting.length > 0) await new Team(scenarios, rows, options).work(waiting, Math.min(threads, waiting.length));
  signal.throwIfAborted();
  return rows.map((row) => row!);
}

class Team {
  readonly #scenarios: readonly Scenario[];
  readonly #rows: (RunRow | null)[];
  readonly #options: RunnerOptions;

  constructor(scenarios: readonly Scenario[], rows: (RunRow | null)[], options: RunnerOptions) {
    this.#scenarios = scenarios;
    this.#rows = rows;
    this.#options = options;
  }

  async work(waiting: number[], count: number): Promise<void> {
    const { dataDir, signal } = this.#options;
    const workerData: ThreadData = { dataDir };
    const url = new URL('./thread.ts', import.meta.url);
    const threads = Array.from({ length: count }, () => startThread(url, { workerData }));
    const aborted = new Promise<never>((_, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
    try {
      await Promise.race([Promise.all(threads.map((thread) => this.#drain(thread, waiting))), aborted]);
    } finally {
      await Promise.all(threads.map((thread) => thread.terminate()));
    }
  }

  async #drain(thread: Worker, waiting: number[]): Promise<void> {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const row = await this.#run(thread, { index, scenario: this.#scenarios[index]! });
      this.#rows[index] = row;
      await this.#options.finished.keep(this.#scenarios[index]!, row);
      this.#options.watcher.done(index);
    }
  }

  #run(thread: Worker, task: ToThread): Promise<RunRow> {
    return new Promise((resolve, reject) => {
      const hear = (message: FromThread): void => {
        if (message.type === 'progress') return this.#options.watcher.progress(message.index, message.share);
        thread.off('message', hear).off('error', reject);
        if (message.type === 'done') resolve(message.row);
        else reject(new Error(message.error));
      };
      thread.on('message', hear).once('error', reject);
      thread.postMessage(task);
    });
  }
}
