// `npm run sim` as a user has it: a process of its own, with threads.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describe as inWords } from '../../server/host/sim/describe.ts';
import { planScenarios } from '../../server/host/sim/plan.ts';
import { readSimOptions } from '../../server/host/sim/options.ts';
import type { Fleet } from '../../server/sim/fleet.ts';
import type { RunRow } from '../../server/sim/row.ts';
import { sim } from './process.ts';
import { methods } from './rig.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sim-'));
});
afterAll(() => rm(folder, { recursive: true }));

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
  const interrupted = await sim(with_('a', 1, 'first.json'), {
    onErr: (err, kill) => {
      if (killed || !err.includes('1 of 16')) return;
      killed = true;
      kill();
    },
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
  expect(await readFile(file('fresh.svg'), 'utf8')).toMatch(/^<svg[^]*fleet: homogeneous</);
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

test('what would be run twice is refused in one sentence that names it', () => {
  expect(() => plan('--methods', 'asgd,gap-aware,asgd')).toThrow(/^--methods names asgd twice$/);
  expect(() => plan('--methods', 'gap-aware:momentum=0.5,gap-aware:momentum=.5')).toThrow(
    /^--methods names gap-aware \(momentum 0\.5\) twice$/,
  );
  expect(() => plan('--workers', '8,1,08')).toThrow(/^--workers names 8 twice$/);
  expect(plan('--methods', 'gap-aware,gap-aware:momentum=0.5', '--workers', '1,8', '--seeds', '1')).toHaveLength(4);
});

const homogeneous = plan()[0]!.fleet;
const faults: readonly (readonly [option: string, value: string, said: string, changed: Partial<Fleet>])[] = [
  ['--leases', '2', '2 leases a worker', { leasesPerWorker: 2 }],
  ['--leases', '1', '1 lease a worker', { leasesPerWorker: 1 }],
  ['--delay', '40', 'delays of 40 ms', network({ delay: { kind: 'log-normal', medianMs: 40, sigma: 0.5 } })],
  ['--loss', '0.07', '7 % lost', network({ loss: 0.07 })],
  ['--loss', '0', '0 % lost', network({ loss: 0 })],
  ['--duplicate', '0.0125', '1.25 % doubled', network({ duplication: 0.0125 })],
  ['--reorder', '0.29', '29 % overtaken', network({ reordering: 0.29 })],
  [
    '--partition',
    '1000-2000:0.5,4000-9000:1',
    '50 % cut off from 1000 to 2000 ms, 100 % cut off from 4000 to 9000 ms',
    network({
      partitions: [
        { fromMs: 1000, untilMs: 2000, share: 0.5 },
        { fromMs: 4000, untilMs: 9000, share: 1 },
      ],
    }),
  ],
  ['--stay', '5000', 'visits of 5000 ms', { churn: { stayMs: 5000, awayMs: 500, crashes: 0.3 } }],
  [
    '--byzantine',
    'nan:1,sign-flip:2',
    'nan:1, sign-flip:2',
    {
      byzantine: [
        { fault: 'nan', workers: 1 },
        { fault: 'sign-flip', workers: 2 },
      ],
    },
  ],
];

function network(changed: Partial<Fleet['network']>): Partial<Fleet> {
  return { network: { ...homogeneous.network, ...changed } };
}

test.each(faults)('%s %s is in the fleet, in its name (%s), and above the table', (option, value, said, changed) => {
  const options = readSimOptions([option, value]);
  const scenarios = planScenarios(options, methods);
  const name = `homogeneous, ${said}`;
  expect(scenarios[0]!.fleet).toEqual({ ...homogeneous, ...changed, name });
  expect(inWords(options, scenarios)).toContain(`; fleet: ${name}; seeds 1 to 3; `);
});

test('a fleet that nothing was added to keeps its plain name', () => {
  for (const name of ['homogeneous', 'heterogeneous', 'volunteers', 'random']) {
    const options = readSimOptions(['--fleet', name, '--dataset', 'logistic']);
    const scenarios = planScenarios(options, methods);
    expect(scenarios.map(({ fleet }) => fleet.name)).toEqual(scenarios.map(() => name));
    expect(inWords(options, scenarios)).toMatch(new RegExp(`; fleet: ${name}; seeds 1 to 3\\.$`));
  }
});

test('rows, plots and what stands above the table tell a fleet with faults from one without', async () => {
  const [json, svg] = [join(folder, 'faults.json'), join(folder, 'faults.svg')];
  const problem = ['--dataset', 'logistic', '--methods', 'asgd', '--workers', '4', '--seeds', '1', '--epochs', '1'];
  const asked = ['--loss', '0.1', '--byzantine', 'sign-flip:2', '--stay', '5000', '--leases', '2'];
  const { code, out } = await sim([...problem, ...asked, '--state', folder, '--json', json, '--plot', svg]);
  expect(code).toBe(0);
  const name = 'homogeneous, 2 leases a worker, 10 % lost, visits of 5000 ms, sign-flip:2';
  expect(out.split('\n')[0]).toContain(`; fleet: ${name}; seeds 1 to 1`);
  const rows = JSON.parse(await readFile(json, 'utf8')) as RunRow[];
  expect(rows.map(({ fleet }) => fleet)).toEqual([name]);
  expect(await readFile(svg, 'utf8')).toContain(`fleet: ${name}`);
});
