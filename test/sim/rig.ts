// Small simulated runs for the tests: logistic regression in milliseconds, every event kept.

import { Coordinator } from '../../server/core/coordinator.ts';
import type { CoordinatorEvent, Effect } from '../../server/core/events.ts';
import { loadContenders } from '../../server/host/sim/contenders.ts';
import { HOMOGENEOUS } from '../../server/sim/fleet.ts';
import type { Problem } from '../../server/sim/problems/problem.ts';
import { logistic } from '../../server/sim/problems/logistic.ts';
import { quadratic } from '../../server/sim/problems/quadratic.ts';
import type { RunRow } from '../../server/sim/row.ts';
import type { ProblemSpec, Scenario } from '../../server/sim/scenario.ts';
import { simulate } from '../../server/sim/simulator.ts';
import { asRunId } from '../../shared/ids.ts';
import type { Vec } from '../../shared/vec.ts';

export const methods = await loadContenders();
export const RUN = asRunId('simulation');
export const SAMPLES = 390;
const SPEC = { kind: 'logistic', features: 8, samples: SAMPLES } as const;
const LOGISTIC = logistic(SPEC);

/** 390 samples an epoch in batches of 20, the last one short: 20 pushes an epoch. */
export function scenarioOf(name: string, changes: Partial<Scenario> = {}): Scenario {
  return {
    label: name,
    method: { name, learningRate: 0.05, weightDecay: 0, schedule: {} },
    workers: 8,
    seed: 1,
    fleet: HOMOGENEOUS,
    problem: SPEC,
    batchSize: 20,
    epochs: 2,
    finalTest: false,
    ...changes,
  };
}

export interface Recorded {
  readonly event: CoordinatorEvent;
  readonly nowMs: number;
}

function problemOf(spec: ProblemSpec): Problem {
  if (spec.kind === 'quadratic') return quadratic(spec);
  return spec.kind === 'logistic' && spec !== SPEC ? logistic(spec) : LOGISTIC;
}

export interface Ran {
  readonly row: RunRow;
  readonly log: readonly Recorded[];
  /** θ after the last push that counted. */
  readonly theta: Vec;
}

export async function run(scenario: Scenario): Promise<Ran> {
  const log: Recorded[] = [];
  let theta: Vec = new Float32Array(0);
  const row = await simulate(scenario, {
    methods,
    problem: problemOf(scenario.problem),
    onEvent: (event, nowMs) => {
      log.push({ event: event.type === 'push' ? { ...event, vector: event.vector.slice() } : event, nowMs });
    },
    onPush: (now) => {
      theta = now.slice();
    },
  });
  return { row, log, theta };
}

interface Replayed extends Recorded {
  readonly coordinator: Coordinator;
  readonly effects: readonly Effect[];
}

/** A fresh coordinator after each of the same events at the same times. */
export function* replaying(log: readonly Recorded[]): Generator<Replayed> {
  const coordinator = new Coordinator();
  for (const { event, nowMs } of log) {
    const copy = event.type === 'push' ? { ...event, vector: event.vector.slice() } : event;
    const effects = coordinator.handle(copy, nowMs);
    yield { coordinator, event, nowMs, effects };
  }
}

/** A fresh coordinator after the same events at the same times. */
export function replay(log: readonly Recorded[]): Coordinator {
  const coordinator = new Coordinator();
  for (const { event, nowMs } of log) {
    coordinator.handle(event.type === 'push' ? { ...event, vector: event.vector.slice() } : event, nowMs);
  }
  return coordinator;
}
