// What the simulator's commands have in common: threads, progress, interruption, and one sentence for what went wrong.

import type { RunRow } from '../../sim/row.ts';
import { stepsOf, type Scenario } from '../../sim/scenario.ts';
import { FinishedRows } from './finished.ts';
import { samplesOf } from './plan.ts';
import { Progress } from './progress.ts';
import { runAll } from './runner.ts';

export type Runner = (
  scenarios: readonly Scenario[],
  options: { readonly threads: number; readonly state: string },
) => Promise<RunRow[]>;

/** As a shell has it: 128 + SIGINT. */
const INTERRUPTED = 130;

class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Runs one command to its end; sets the exit code. */
export async function command(work: (runner: Runner) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const interrupted = new InterruptedError(
    'Interrupted. The finished runs are kept: the same command goes on from here.',
  );
  process.once('SIGINT', () => abort.abort(interrupted));
  const progress = new Progress({
    write: (text) => process.stderr.write(text),
    terminal: process.stderr.isTTY,
    nowMs: () => performance.now(),
    costOf: (scenario) => stepsOf(scenario, samplesOf(scenario.problem)),
  });
  const dataDir = process.env['DATA_DIR'] ?? 'data';
  const runner: Runner = async (scenarios, { threads, state }) =>
    runAll(scenarios, {
      dataDir,
      threads,
      finished: await FinishedRows.open(state, dataDir),
      watcher: progress,
      signal: abort.signal,
    });
  try {
    await work(runner);
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof InterruptedError ? INTERRUPTED : 1;
  }
}
