// Which run to volunteer for when none is named: the first that is running.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';

const EVERY_MS = 1_000;

export interface FindRunOptions {
  readonly signal: AbortSignal;
  readonly connectMsMax: number;
  readonly log: (line: string) => void;
  readonly fetch: typeof fetch;
}

/** Its id. Throws one sentence when there is none, or nobody answers within `connectMsMax`, or the signal aborts. */
export async function findRun(url: string, { signal, connectMsMax, log, fetch }: FindRunOptions): Promise<string> {
  const untilMs = performance.now() + connectMsMax;
  for (let attempt = 0; ; attempt++) {
    const runs = await askRuns(url, { signal, fetch });
    if (runs !== null) {
      const running = runs.find(({ status }) => status === 'running') ?? runs.find(({ status }) => status === 'paused');
      if (running === undefined) throw new Error(`${url} has no run to volunteer for`);
      return running.id;
    }
    if (performance.now() >= untilMs) throw new Error(`no connection to ${url} for ${connectMsMax / 1000} s`);
    if (attempt === 0) log(`Waiting for ${url}.`);
    await sleep(Math.min(EVERY_MS, connectMsMax), undefined, { signal });
  }
}

async function askRuns(
  url: string,
  { signal, fetch }: Pick<FindRunOptions, 'signal' | 'fetch'>,
): Promise<readonly RunSummary[] | null> {
  try {
    const response = await fetch(`${url}/api/runs`, { signal });
    return response.ok ? ((await response.json()) as RunSummary[]) : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}
