// Headless volunteers against a real coordinator: real threads, real sockets, the real trainer.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { volunteerCommand, type CommandOptions } from '../../client/headless/options.ts';
import { Patience } from '../../client/headless/patience.ts';
import { startVolunteers, type Volunteers } from '../../client/headless/volunteers.ts';
import type { RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import type { Started } from '../../server/host/start.ts';
import { digitsRun, start } from '../server/harness.ts';

let coordinator: Started | null = null;
let volunteers: Volunteers | null = null;

afterEach(async () => {
  await volunteers?.stop();
  await coordinator?.close();
  coordinator = null;
  volunteers = null;
});

const get = async <T>(path: string): Promise<T> => (await fetch(`${coordinator!.url}${path}`)).json() as Promise<T>;

describe('headless volunteers', () => {
  it('[V6] train a run to its end and leave', async () => {
    coordinator = await start([digitsRun('epochs: 1\nbatchSize: 256')]);
    const lines: string[] = [];
    const options = { count: 2, backend: 'wasm', slowdown: [1, 2], log: (line: string) => lines.push(line) } as const;
    volunteers = startVolunteers({ url: coordinator.url, ...options });
    expect(await volunteers.done).toEqual({ ok: true, reason: 'This run has ended. Thank you.' });
    const run = await get<RunSummary>('/api/runs/digits');
    expect(run.status).toBe('finished');
    const stats = volunteers.stats();
    expect(stats.map(({ name, phase }) => [name, phase])).toEqual([
      ['node-1', 'finished'],
      ['node-2 (×2)', 'finished'],
    ]);
    // The last push of each may have been answered after the end.
    const counted = stats.reduce((sum, { samples }) => sum + samples, 0);
    expect(counted).toBeGreaterThan(run.samples - 3 * 256);
    expect(stats.every(({ steps, loss }) => steps > 0 && loss !== null && loss < 2.3)).toBe(true);
    expect(lines).toContain('node-1: training');
  });

  it('[V16] give their leases back when they are stopped', async () => {
    coordinator = await start([digitsRun('epochs: 1000')]);
    const { url } = coordinator;
    await new Promise<void>((resolve) => {
      const log = (line: string): void => (line === 'node-1: training' ? resolve() : undefined);
      volunteers = startVolunteers({ url, run: 'digits', count: 1, backend: 'wasm', log });
    });
    if (volunteers === null) throw new Error('unreachable');
    expect(await volunteers.stop()).toEqual({ ok: true, reason: null });
    expect(volunteers.stats()[0]!.phase).toBe('stopped');
    await expect
      .poll(async () => (await get<WorkerRow[]>('/api/runs/digits/workers')).reduce((sum, row) => sum + row.leases, 0))
      .toBe(0);
  });

  it(
    '[I2] [I4] are let in by their code, and are the same ones again by their keys',
    { timeout: 180_000 },
    async () => {
      coordinator = await start([digitsRun('epochs: 1000\nadmission: { kind: code, code: starling }')]);
      const folder = await mkdtemp(join(tmpdir(), 'murmuration-'));
      const who = {
        url: coordinator.url,
        run: 'digits',
        count: 1,
        backend: 'cpu',
        key: join(folder, 'keys.json'),
      } as const;
      volunteers = startVolunteers(who);
      expect(await volunteers.done).toEqual({
        ok: false,
        reason: 'node-1: This run needs its join code: ask whoever runs it.',
      });
      for (let visit = 1; visit <= 2; visit++) {
        await new Promise<void>((resolve) => {
          const log = (line: string): void => (line === 'node-1: training' ? resolve() : undefined);
          volunteers = startVolunteers({ ...who, code: 'starling', log });
        });
        await volunteers.stop();
        const rows = await get<WorkerRow[]>('/api/runs/digits/workers');
        expect(rows).toMatchObject([{ standing: { keyed: true } }]);
      }
      await rm(folder, { recursive: true });
    },
  );

  it('[V2] say in words why they are refused', async () => {
    coordinator = await start([digitsRun()]);
    volunteers = startVolunteers({ url: coordinator.url, run: 'other', count: 1, backend: 'cpu' });
    expect(await volunteers.done).toEqual({ ok: false, reason: 'node-1: The coordinator has no such run.' });
  });

  it('[V3] give up when nobody answers for too long', async () => {
    const nobody = { url: 'http://127.0.0.1:1', count: 1, backend: 'cpu', connectMsMax: 1 } as const;
    volunteers = startVolunteers(nobody);
    expect((await volunteers.done).reason).toBe('no connection to http://127.0.0.1:1 for 0.001 s');
    volunteers = startVolunteers({ ...nobody, run: 'digits' });
    expect((await volunteers.done).reason).toBe('node-1: no connection to http://127.0.0.1:1 for 0.001 s');
  });

  it('[V3] wait for a coordinator that was there for as long as it takes, or as they are told', () => {
    vi.useFakeTimers();
    const gaveUp: number[] = [];
    const patience = (awayMsMax: number): Patience =>
      new Patience({ connectMsMax: 60_000, awayMsMax, giveUp: (ms) => gaveUp.push(ms) });
    const [forever, told, early] = [patience(Infinity), patience(5_000), patience(Infinity)];
    early.see('connecting');
    for (const one of [forever, told]) for (const phase of ['connecting', 'training', 'reconnecting'] as const) one.see(phase); // prettier-ignore
    vi.advanceTimersByTime(59_999);
    expect(gaveUp).toEqual([5_000]);
    vi.advanceTimersByTime(10 * 86_400_000);
    expect(gaveUp).toEqual([5_000, 60_000]);
    vi.useRealTimers();
  });

  it('[V3] give up when their coordinator went away for longer than they are told to wait', async () => {
    coordinator = await start([digitsRun('epochs: 1000')]);
    const { url } = coordinator;
    await new Promise<void>((resolve) => {
      const log = (line: string): void => (line === 'node-1: training' ? resolve() : undefined);
      volunteers = startVolunteers({ url, run: 'digits', count: 1, backend: 'wasm', awayMsMax: 1, log });
    });
    await coordinator.close();
    coordinator = null;
    expect(await volunteers!.done).toEqual({ ok: false, reason: `node-1: no connection to ${url} for 0.001 s` });
  });

  it('[V3] can be stopped while they look for a coordinator', async () => {
    volunteers = startVolunteers({ url: 'http://127.0.0.1:1', count: 1, backend: 'cpu' });
    expect(await volunteers.stop()).toEqual({ ok: true, reason: null });
  });
});

describe('the command line', () => {
  const parse = (...argv: string[]): CommandOptions => {
    const command = volunteerCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    return command.parse(argv, { from: 'user' }).opts<CommandOptions>();
  };

  it('has a default for everything', () => {
    expect(parse()).toEqual({
      ...{ url: 'http://localhost:3000', count: 1, backend: 'wasm', slowdown: [1], name: 'node' },
    });
  });

  it('reads what it is given', () => {
    const args = ['--url', 'https://host:8/x/', '--run', 'a.b', '--count', '64', '--backend', 'cpu', '--name', 'lab'];
    expect(parse(...args, '--slowdown', '1,1,2.5,8')).toEqual({
      ...{ url: 'https://host:8', run: 'a.b', count: 64, backend: 'cpu', name: 'lab', slowdown: [1, 1, 2.5, 8] },
    });
  });

  it.each([
    ['--url', 'localhost:3000', 'Expected an address'],
    ['--url', 'ftp://x', 'Expected an address'],
    ['--run', '../etc', 'Expected letters'],
    ['--count', '65', 'Expected a whole number from 1 to 64'],
    ['--count', '1.5', 'Expected a whole number'],
    ['--count', 'many', 'Expected a whole number'],
    ['--backend', 'webgpu', 'Allowed choices are wasm, cpu'],
    ['--slowdown', '0.5', 'Expected numbers from 1 to 1000'],
    ['--slowdown', '1,,2', 'Expected numbers from 1 to 1000'],
    ['--slowdown', 'x', 'Expected numbers from 1 to 1000'],
    ['--name', 'x'.repeat(25), 'Expected 1 to 24 characters'],
    ['--colour', 'red', 'unknown option'],
  ])('refuses %s %s in words', (option, value, words) => {
    expect(() => parse(option, value)).toThrow(words);
  });
});
