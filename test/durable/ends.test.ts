// How a coordinator ends, as a process: asked to, asked twice, by its own error; and that it has its folder for itself.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realDisk } from '../../server/adapters/checkpoints/disk.ts';
import { newestGood } from '../../server/adapters/checkpoints/folder.ts';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { PlainWorker } from '../server/harness.ts';
import { CoordinatorProcess } from './coordinator-process.ts';

let state: string;
const coordinators: CoordinatorProcess[] = [];
beforeEach(() => void (state = mkdtempSync(join(tmpdir(), 'murmuration-ends-'))));
afterEach(async () => {
  await Promise.all(coordinators.splice(0).map((coordinator) => coordinator.kill()));
  rmSync(state, { recursive: true, force: true });
});

async function start(args: readonly string[] = [], nodeArgs: readonly string[] = []): Promise<CoordinatorProcess> {
  const coordinator = await CoordinatorProcess.start(state, args, nodeArgs);
  coordinators.push(coordinator);
  return coordinator;
}

const version = (id = 'digits'): number | undefined =>
  newestGood(realDisk, join(state, 'runs', id)).checkpoint?.snapshot.version;
const summary = async (url: string): Promise<RunSummary> =>
  (await (await fetch(`${url}/api/runs/digits`)).json()) as RunSummary;

describe('SIGTERM', () => {
  it('[C8] takes in what is under way, writes it down, and ends with 0; the next start goes on from there', async () => {
    const first = await start(['--grace', '30']);
    const worker = await PlainWorker.join(first.url);
    const lease = await worker.lease();
    const ended = first.end('SIGTERM');
    let waiting = await worker.pull();
    while (waiting.params) waiting = await worker.pull(); // until the signal has come through
    expect(waiting.reply.next).toMatchObject({ kind: 'wait' });
    const { reply } = await worker.push(
      lease,
      Float32Array.from(lease.theta, () => 1e-3),
    );
    expect(reply).toMatchObject({ outcome: 'applied', version: 1, next: { kind: 'wait' } });
    expect(await ended).toBe(0);
    expect(version()).toBe(1);
    const second = await start();
    expect(await summary(second.url)).toMatchObject({
      status: 'running',
      version: 1,
      samples: lease.lease.batches[0]!.count,
    });
    expect(second.output).toContain('goes on from version 1');
  });

  it('[C8] writes down what it has before it waits for what is under way', async () => {
    const coordinator = await start(['--grace', '3000']);
    const worker = await PlainWorker.join(coordinator.url);
    const [done, open] = [await worker.lease(), await worker.lease()];
    expect(open.lease.id).not.toBe(done.lease.id);
    const { reply } = await worker.push(
      done,
      Float32Array.from(done.theta, () => 1e-3),
    );
    expect(reply.outcome).toBe('applied');
    expect(version()).toBe(0);
    coordinator.send('SIGTERM');
    await expect.poll(() => version(), { timeout: 30_000 }).toBe(1);
    await coordinator.kill();
  });

  it('[C8] does not wait for ever for a worker that says nothing, nor at all when sent again', async () => {
    const patient = await start(['--grace', '0.2']);
    await (await PlainWorker.join(patient.url)).lease();
    expect(await patient.end('SIGINT')).toBe(0);
    const hasty = await start(['--grace', '3000']);
    const worker = await PlainWorker.join(hasty.url);
    await worker.lease();
    hasty.send('SIGTERM');
    while ((await worker.pull()).params);
    expect(await hasty.end('SIGTERM')).toBe(1);
  });
});

describe('an error of its own', () => {
  it('[C8] ends it with 1 and writes nothing down: what is in memory may be half-changed', async () => {
    const throwing = `data:text/javascript,process.on('SIGUSR2', () => { throw new Error('a bug') })`;
    const coordinator = await start([], ['--import', throwing]);
    const worker = await PlainWorker.join(coordinator.url);
    const lease = await worker.lease();
    await worker.push(
      lease,
      Float32Array.from(lease.theta, () => 1e-3),
    );
    expect(await coordinator.end('SIGUSR2')).toBe(1);
    expect(coordinator.output).toContain('a bug');
    expect(version()).toBe(0);
  });
});

describe('a state folder', () => {
  it('[C5] is refused to a second coordinator, in one sentence', async () => {
    await start();
    await expect(CoordinatorProcess.start(state)).rejects.toThrow(
      /^another coordinator is using the state folder [^\n]*$/,
    );
  });

  it('[C6] is begun anew with --fresh, and what was in it is kept', async () => {
    const first = await start();
    const worker = await PlainWorker.join(first.url);
    const lease = await worker.lease();
    await worker.push(
      lease,
      Float32Array.from(lease.theta, () => 1e-3),
    );
    expect(await first.end('SIGTERM')).toBe(0);
    const second = await start(['--fresh']);
    expect((await summary(second.url)).version).toBe(0);
    expect(readdirSync(join(state, 'aside'))).toEqual(['digits-1']);
    expect(version('../aside/digits-1')).toBe(1);
  });
});
