// A coordinator on a state folder, in this process: what a start finds again, and what it does when the disk fails it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { asRunId } from '../../shared/ids.ts';
import type { Health } from '../../shared/protocol/snapshots.ts';
import { ADMIN_TOKEN, digitsRun, PlainWorker, start } from '../server/harness.ts';

const run = asRunId('digits');
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
let stateDir: string;
let mounted = false;
const started: Started[] = [];

beforeEach(() => void (stateDir = mkdtempSync(join(tmpdir(), 'murmuration-live-'))));
afterEach(async () => {
  for (const one of started.splice(0)) await one.close();
  if (mounted) execFileSync('umount', [stateDir]);
  mounted = false;
  rmSync(stateDir, { recursive: true, force: true });
});

async function open(yaml: string | null, options = {}): Promise<Started> {
  const coordinator = await start(yaml === null ? [] : [digitsRun(yaml)], { stateDir, ...options });
  started.push(coordinator);
  return coordinator;
}

async function push(coordinator: Started, times = 1): Promise<void> {
  const worker = await PlainWorker.join(coordinator.url);
  let lease = await worker.lease();
  for (let i = 0; i < times; i += 1) {
    const { reply, params } = await worker.push(
      lease,
      lease.theta.map((x, at) => x * 0.01 + Math.sin(at + i) * 1e-3),
    );
    expect(reply.outcome).toBe('applied');
    lease = params!; // the next came with the answer
  }
}

const post = (coordinator: Started, path: string, body?: object): Promise<Response> =>
  fetch(`${coordinator.url}/api/runs/digits/${path}`, {
    method: 'POST',
    headers: { ...admin, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
const health = async (coordinator: Started): Promise<Health> =>
  (await (await fetch(`${coordinator.url}/api/health`)).json()) as Health;
const files = (): string[] => readdirSync(join(stateDir, 'runs', 'digits')).sort();
const notes = (coordinator: Started): string[] => coordinator.loop.snapshot(run, 0).notes.map(({ text }) => text);

describe('a start on a state folder', () => {
  it('[C6] finds what was there, with no word of it: parameters, pause, another method', async () => {
    const first = await open('epochs: 3');
    await push(first, 3);
    await post(first, 'method', { name: 'gap-aware' });
    await push(first, 2);
    await post(first, 'pause');
    const theta = first.loop.params(run).slice();
    await first.close();
    const second = await open(null);
    expect(second.loop.summary(run)).toMatchObject({ version: 5, method: 'gap-aware', status: 'paused', epochs: 3 });
    expect(second.loop.params(run)).toEqual(theta);
    await post(second, 'resume');
    await push(second);
    expect(second.loop.summary(run).version).toBe(6);
  });

  it('[C7] follows the file in what may change, and refuses another run of the same id', async () => {
    await (await open('')).close();
    await expect(open('seed: 9')).rejects.toThrow(/another run than the one in the state folder: seed is 1 .* and 9/);
    const second = await open('name: Renamed\nworkersMax: 1\nepochs: 99');
    expect(second.loop.summary(run)).toMatchObject({ name: 'Renamed', epochs: 10 });
    await PlainWorker.join(second.url);
    await expect(PlainWorker.join(second.url)).rejects.toThrow('too-many-workers');
  });

  it('[C7] follows the file in its defences, those that were off and those that were on', async () => {
    const on = 'defences: {}\nleases: { perWorker: 3 }\ncodec: { push: f16 }';
    for (const yaml of ['', on, '', on]) {
      const coordinator = await open(yaml);
      await PlainWorker.join(coordinator.url);
      await coordinator.close();
    }
    expect((await open(on)).runs[0]!.setup.config.defences.clip).toBe(1.5);
  });

  it('[C2] [P5] falls back from a damaged checkpoint, says so, and keeps the damaged one for a while', async () => {
    const first = await open('checkpoints: { everyVersions: 2, keep: 3 }');
    await push(first, 1);
    await first.close();
    const second = await open(null);
    await push(second, 1);
    await second.close();
    const newest = files().at(-1)!;
    truncateSync(join(stateDir, 'runs', 'digits', newest), 5000);
    const third = await open(null);
    expect(third.loop.summary(run).version).toBe(1);
    expect(notes(third)).toContainEqual(expect.stringMatching(new RegExp(`${newest} is passed over: .*damaged`)));
    expect(files()).toContain(newest);
  });
});

describe('a disk that fails while a run trains', () => {
  /** What the coordinator tells of itself, when it is so. */
  const until = (coordinator: Started, status: Health['status']): Promise<Health> =>
    vi.waitFor(
      async () => {
        const told = await health(coordinator);
        expect(told.status).toBe(status);
        return told;
      },
      { timeout: 10_000, interval: 50 },
    );

  it('[C4] [P6] is told of within 10 s, training goes on, and all is well when there is room again', async ({
    skip,
  }) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', stateDir], { stdio: 'ignore' });
      mounted = true;
    } catch {
      return skip('mounting a file system is not permitted here');
    }
    const coordinator = await open('checkpoints: { everyVersions: 1, keep: 2 }');
    await push(coordinator, 1);
    await expect.poll(async () => (await until(coordinator, 'ok')).checkpoints['digits']?.version).toBe(1); // nothing is under way
    const before = files();
    const whole = before.map((name) => readFileSync(join(stateDir, 'runs', 'digits', name)));
    const ballast = join(stateDir, 'ballast');
    expect(() => writeFileSync(ballast, new Uint8Array(2 ** 20))).toThrow('ENOSPC');
    await push(coordinator, 3);
    const { problems, checkpoints } = await until(coordinator, 'degraded');
    expect(problems).toEqual([
      {
        kind: 'checkpoint',
        text: expect.stringMatching(/digits.*disk is full: make room/) as string,
        forMs: expect.any(Number) as number,
      },
    ]);
    expect(files()).toEqual(before);
    expect(before.map((name) => readFileSync(join(stateDir, 'runs', 'digits', name)))).toEqual(whole);
    const metrics = await (await fetch(`${coordinator.url}/metrics`)).text();
    expect(metrics).toMatch(/murmuration_checkpoint_failures_total\{run="digits"\} [1-9]/);
    expect(metrics).toContain('murmuration_problems{kind="checkpoint"} 1');
    expect(metrics).toContain(`murmuration_checkpoint_version{run="digits"} ${checkpoints['digits']!.version}`);
    await push(coordinator, 3);
    rmSync(ballast);
    expect((await until(coordinator, 'ok')).checkpoints['digits']!.version).toBeGreaterThan(4);
    expect(notes(coordinator)).toContainEqual(expect.stringMatching(/checkpoints are written again/));
  });

  it('[C4] [P6] a folder that is gone is made again', async () => {
    const coordinator = await open('');
    rmSync(join(stateDir, 'runs'), { recursive: true });
    await push(coordinator, 1);
    await post(coordinator, 'pause');
    await vi.waitFor(() => expect(files()).toHaveLength(1), { timeout: 10_000 });
    expect((await health(coordinator)).status).toBe('ok');
  });
});
