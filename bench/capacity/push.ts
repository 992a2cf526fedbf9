// Accepted updates a second of a large model over TLS: a coordinator in one process, its workers in another.

import { setTimeout as pause } from 'node:timers/promises';
import type { Found } from './found.ts';
import { BenchCoordinator, child } from './process.ts';
import type { Count, PusherSetup } from './pusher.ts';

const WARM_UP_MS = 10_000;
const UPDATES_PER_SECOND = 100;
const DELAY_MS = 50;
/** 1,000,120 parameters. Nothing is computed here: what tells honest gradients from others is off, and the rest is on. */
const runOf = (method: string): string => `id: capacity
name: Capacity
dataset: digits
model: { name: mlp, hidden: [1258] }
method: { name: ${method}, learningRate: 0.001 }
codec: { params: f16, push: f16 }
epochs: 10000
evaluateEveryVersions: 1000000
defences: { score: null, spotChecks: null }
`;

export async function measurePushes(options: {
  readonly seconds: number;
  readonly workers: number;
  readonly method: string;
}): Promise<readonly Found[]> {
  const { seconds, workers, method } = options;
  const coordinator = await BenchCoordinator.start(runOf(method), 'https');
  const { url, ca } = coordinator;
  const setup: PusherSetup = { url, ca, run: 'capacity', workers };
  const [pusher] = await child<Count>('pusher.ts', [JSON.stringify(setup)]);
  const count = (): Promise<Count> =>
    new Promise((resolve) => {
      pusher.once('message', resolve);
      pusher.send('count');
    });
  await pause(WARM_UP_MS);
  await coordinator.ask('begin');
  const [before, beganMs] = [await count(), performance.now()];
  await pause(1000 * seconds);
  const [after, { delayP99Ms, cpuSeconds }] = [await count(), await coordinator.ask('figures')];
  const took = (performance.now() - beganMs) / 1000;
  const perSecond = (after.applied - before.applied) / took;
  pusher.kill();
  await coordinator.close();
  const load = `${method}, ${workers} workers, ${after.parameters.toLocaleString('en')} parameters, f16, TLS, checkpoints on`;
  const own = `the coordinator used ${(cpuSeconds / took).toFixed(2)} cores, the workers ${((after.cpuSeconds - before.cpuSeconds) / took).toFixed(2)}`;
  return [
    {
      what: `Accepted updates a second: ${load}`,
      found: `${perSecond.toFixed(1)}; ${after.refused - before.refused} refused; ${own}`,
      promised: `≥ ${UPDATES_PER_SECOND}`,
      met: perSecond >= UPDATES_PER_SECOND,
    },
    {
      what: 'Event-loop delay meanwhile, 99th percentile',
      found: `${delayP99Ms.toFixed(0)} ms`,
      promised: `< ${DELAY_MS} ms`,
      met: delayP99Ms < DELAY_MS,
    },
  ];
}
