// What a worker that does not read costs the others, over real sockets and with processes of their own: pairs of turns, with one
// and without. SLOW_READER_TURNS=20 for the figure of the promise, held to its bound.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { WorkerRow } from '../../shared/protocol/snapshots.ts';
import { CoordinatorProcess } from '../durable/coordinator-process.ts';
import { PlainWorker } from '../server/harness.ts';
import { Honest } from './honest.ts';
import { ratioOf } from './pairs.ts';
import { unread } from './unread.ts';

const LONG = process.env['SLOW_READER_TURNS'] !== undefined;
const TURNS = Number(process.env['SLOW_READER_TURNS'] ?? 1);
/** Of the honest worker in a turn. */
const EXCHANGES = LONG ? 50 : 20;
/** Others lose less than 5 %. */
const THROUGHPUT_MIN = 0.95;
const PATIENCE_MS = 120_000;
/** 1,192,510 parameters: more than the sockets of a connection hold. */
const RUN = `id: digits
name: Digits
dataset: digits
model: { name: mlp, hidden: [1500] }
method: { name: asgd, learningRate: 0.01 }
epochs: 10000
evaluateEveryVersions: 1000000
checkpoints: { everyVersions: 1000000 }
leases: { perWorker: 1 }
defences: { clip: null, probation: null, influence: null, score: null, spotChecks: null, rollback: null }
`;

let folder = '';
let coordinator: CoordinatorProcess | null = null;
let honest: Honest | null = null;
afterEach(async () => {
  await honest?.stop();
  await coordinator?.kill();
  await rm(folder, { recursive: true, force: true });
});

it(
  '[P8] [N4] a slow reader is leased one blob, and the others go on as without it',
  { timeout: (2 * TURNS + 2) * PATIENCE_MS },
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'murmuration-slow-reader-'));
    await writeFile(join(folder, 'run.yaml'), RUN);
    coordinator = await CoordinatorProcess.start(join(folder, 'state'), ['--run', join(folder, 'run.yaml')]);
    const { url } = coordinator;
    const row = async ({ welcome }: PlainWorker): Promise<WorkerRow> => {
      const rows = (await (await fetch(`${url}/api/runs/digits/workers`)).json()) as WorkerRow[];
      return rows.find(({ id }) => id === welcome.worker)!;
    };
    const others = (honest = await Honest.at(url));
    const turn = async (): Promise<number> => {
      await others.take();
      await expect.poll(() => others.count(), { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(EXCHANGES);
      return (await others.take()).perSecond;
    };

    const beside = async (): Promise<number> => {
      const slow = await PlainWorker.join(url);
      const socket = unread(url, slow);
      await expect.poll(async () => (await row(slow)).leases).toBe(1);
      const perSecond = await turn();
      expect((await row(slow)).leases).toBeLessThanOrEqual(1);
      socket.destroy();
      return perSecond;
    };

    await turn(); // warm
    const ratio = await ratioOf({ without: turn, beside }, TURNS);
    if (LONG) {
      process.stderr.write(`slow reader: throughput of the others ${ratio.toFixed(3)}× over ${TURNS} pairs\n`);
      expect(ratio).toBeGreaterThan(THROUGHPUT_MIN);
    }
    expect(coordinator.output).not.toMatch(/error|unhandled|uncaught/i);
  },
);
