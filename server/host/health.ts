// What the coordinator knows of its own health, gathered from whoever watches a part of it.

import type { Health, Problem } from '../../shared/protocol/snapshots.ts';

export interface HealthSources {
  /** Each tells what does not work now. */
  readonly problems: readonly (() => readonly Problem[])[];
  readonly checkpoints: () => Health['checkpoints'];
  readonly eventLoopDelayMs: () => number;
}

export function healthOf({ problems: sources, checkpoints, eventLoopDelayMs }: HealthSources): Health {
  const problems = sources.flatMap((source) => source());
  return {
    status: problems.length === 0 ? 'ok' : 'degraded',
    problems,
    uptimeSeconds: Math.round(process.uptime()),
    eventLoopDelayMs: eventLoopDelayMs(),
    checkpoints: checkpoints(),
  };
}
