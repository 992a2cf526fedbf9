// Everybody comes back at once: the coordinator is killed and started again on its port, and all of its volunteers reconnect,
// prove their devices, and are the same workers as before. STORM_CLIENTS=2000 for the figures of the promise, held to its
// bounds.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Shell } from '../../client/worker/shell.ts';
import type { Health, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { CoordinatorProcess } from '../durable/coordinator-process.ts';
import { idleVolunteer } from './idle.ts';

const LONG = process.env['STORM_CLIENTS'] !== undefined;
const CLIENTS = Number(process.env['STORM_CLIENTS'] ?? 300);
const PATIENCE_MS = 120_000;
const BACK_IN_MS_MAX = 15_000;
const EVENT_LOOP_P99_MS_MAX = 200;
const RUN = `id: storm
name: Storm
dataset: digits
model: { name: softmax }
method: { name: asgd, learningRate: 0.01 }
workersMax: 3000
`;

let shells: Shell[] = [];
let coordinator: CoordinatorProcess | null = null;
let folder = '';
afterEach(async () => {
  for (const shell of shells) shell.user('stop');
  shells = [];
  await coordinator?.kill();
  await rm(folder, { recursive: true, force: true });
});

it(
  `[P7] [N1] ${CLIENTS} volunteers are back as themselves soon after a restart, though all come at once`,
  { timeout: 4 * PATIENCE_MS },
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'murmuration-storm-'));
    const file = join(folder, 'run.yaml');
    await writeFile(file, RUN);
    const state = join(folder, 'state');
    coordinator = await CoordinatorProcess.start(state, ['--run', file]);
    const { url } = coordinator;
    const welcomed = new Map<number, string>();
    let back = 0;
    for (let number = 0; number < CLIENTS; number++) {
      const onWelcome = ({ worker }: { worker: string }): void => {
        if (welcomed.get(number) === worker) back += 1;
        welcomed.set(number, worker);
      };
      shells.push(await idleVolunteer({ url, run: 'storm', number, onWelcome }));
    }
    await expect.poll(() => welcomed.size, { timeout: PATIENCE_MS }).toBe(CLIENTS);

    await coordinator.kill();
    coordinator = await CoordinatorProcess.start(state, ['--run', file, '--port', new URL(url).port]);
    const servedMs = performance.now();
    await expect.poll(() => back, { timeout: PATIENCE_MS, interval: 20 }).toBe(CLIENTS);
    const backInMs = performance.now() - servedMs;
    const get = async <T>(path: string): Promise<T> => (await fetch(url + path)).json() as Promise<T>;
    const workers = await get<WorkerRow[]>('/api/runs/storm/workers');
    expect(new Set(workers.map(({ id }) => id))).toEqual(new Set(welcomed.values()));
    const { eventLoopDelayMs } = await get<Health>('/api/health');
    if (LONG) {
      process.stderr.write(`storm: ${CLIENTS} back in ${Math.round(backInMs)} ms, p99 ${eventLoopDelayMs} ms\n`);
      expect(backInMs).toBeLessThanOrEqual(BACK_IN_MS_MAX);
      expect(eventLoopDelayMs).toBeLessThan(EVENT_LOOP_P99_MS_MAX);
    }
    expect(coordinator.output).not.toMatch(/unhandled|uncaught/i);
  },
);
