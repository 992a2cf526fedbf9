// `npm run sim` as a user has it: a process of its own, with threads.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planScenarios } from '../../server/host/sim/plan.ts';
import { readSimOptions } from '../../server/host/sim/options.ts';
import type { RunRow } from '../../server/sim/row.ts';
import { methods } from './rig.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sim-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `onErr`: called with the process whenever something was written to the standard error. */
function sim(args: readonly string[], onErr?: (text: string, kill: () => void) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'server/host/sim/main.ts', ...args]);
    let [out, err] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
      onErr?.(err, () => child.kill('SIGINT'));
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

const plan = (...args: string[]) => planScenarios(readSimOptions(args), methods);

test('an interrupted table goes on where it stopped, and is the same byte for byte', async () => {
  const file = (name: string): string => join(folder, name);
  const args = [
    '--dataset',
    'logistic',
    '--methods',
    'asgd,dana-zero',
    '--workers',
    '1,4',
    '--seeds',
    '4',
    '--epochs',
    '8',
  ];
  const with_ = (state: string, threads: number, out: string): string[] => [
    ...args,
    ...['--state', file(state), '--threads', String(threads), '--json', file(out)],
  ];
  let killed = false;
  const interrupted = await sim(with_('a', 1, 'first.json'), (err, kill) => {
    if (killed || !err.includes('1 of 16')) return;
    killed = true;
    kill();
  });
  expect(interrupted.code).toBe(130);
  expect(interrupted.err).toContain('the same command goes on from here');
  expect(interrupted.out).toBe('');

  const [resumed, fresh] = await Promise.all([
    sim(with_('a', 1, 'resumed.json')),
    sim([...with_('b', 2, 'fresh.json'), '--plot', file('fresh.svg')]),
  ]);
  expect(resumed.err).toMatch(/^\d+ of 16 runs were finished before\./);
  expect([resumed.code, fresh.code]).toEqual([0, 0]);
  expect(resumed.out).toBe(fresh.out);
  expect(await readFile(file('resumed.json'), 'utf8')).toBe(await readFile(file('fresh.json'), 'utf8'));
  expect(fresh.out).toMatch(/^logistic; .*\n\n\| method \| workers \| accuracy % \|/);
  const rows = JSON.parse(await readFile(file('fresh.json'), 'utf8')) as RunRow[];
  expect(rows.map(({ method, workers, seed }) => `${method} ${workers} ${seed}`).slice(0, 5)).toEqual([
    'asgd 1 1',
    'asgd 1 2',
    'asgd 1 3',
    'asgd 1 4',
    'asgd 4 1',
  ]);
  expect(Object.keys(rows[0]!).slice(0, 12)).toEqual([
    ...['method', 'workers', 'seed', 'fleet', 'finalAccuracy', 'finalLoss', 'lagMean', 'gapMean'],
    ...['virtualTimeMs', 'samples', 'wastedSamples', 'curve'],
  ]);
  expect(await readFile(file('fresh.svg'), 'utf8')).toMatch(/^<svg/);
});

test('what is wrong with the arguments is one sentence, and the process ends with 1', async () => {
  const [wrong, missing] = await Promise.all([
    sim(['--workers', '0']),
    sim(['--dataset', 'mnist', '--methods', 'asgd', '--state', folder, '--seeds', '1', '--workers', '1']),
  ]);
  expect(wrong).toMatchObject({ code: 1, out: '' });
  expect(wrong.err).toContain("option '--workers <counts>' argument '0' is invalid. expected a number from 1 to 2000");
  expect(missing.code).toBe(1);
  expect(missing.err.trim()).toMatch(/^No file train-images-idx3-ubyte or .*: get it from .*\.$/);
});

test('methods and hyper-parameters are checked before anything runs', () => {
  expect(() => plan('--methods', 'asdg')).toThrow('there is no method "asdg"; there are');
  expect(() => plan('--methods', 'asgd', '--set', 'lambda=2')).toThrow('none of the methods has a hyper-parameter');
  expect(() => plan('--methods', 'asgd:momentum=0.5')).toThrow('method "asgd" has no hyper-parameter "momentum"');
  expect(() => plan('--methods', 'gap-aware', '--momentum', '1')).toThrow('momentum is 1, expected a number');
});

test('shared settings go to the methods that have them; the warm-up begins at lr/N', () => {
  const args = ['--momentum', '0.5', '--warmup-epochs', '2', '--decay', 'step', '--epochs', '10', '--workers', '4'];
  const [asgd, free, gap] = plan('--methods', 'asgd,gap-aware:momentum=0,gap-aware', '--seeds', '1', ...args);
  expect(asgd!.method).not.toHaveProperty('momentum');
  expect(free).toMatchObject({ label: 'gap-aware (momentum 0)', method: { momentum: 0 } });
  expect(gap!.method).toMatchObject({
    momentum: 0.5,
    schedule: { warmup: { epochs: 2, from: 0.25 }, decay: { kind: 'step', epochs: [6, 8.5], factor: 0.1 } },
  });
});

test('faults are added to the fleet that was named', () => {
  const [scenario] = plan('--loss', '0.1', '--partition', '1000-2000:0.5', '--byzantine', 'nan:2', '--stay', '5000');
  expect(scenario!.fleet).toMatchObject({
    name: 'homogeneous',
    network: { loss: 0.1, partitions: [{ fromMs: 1000, untilMs: 2000, share: 0.5 }] },
    byzantine: [{ fault: 'nan', workers: 2 }],
    churn: { stayMs: 5000 },
  });
});
