// Finished rows are taken up again only where the same code would compute the same from the same data.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { FinishedRows } from '../../server/host/sim/finished.ts';
import { ingredients } from '../../server/host/sim/provenance.ts';
import type { RunRow } from '../../server/sim/row.ts';
import type { ProblemSpec } from '../../server/sim/scenario.ts';
import { cifarRecords, folderWith } from '../data/files.ts';
import { importsOf, sourcesUnder } from '../imports.ts';
import { sim } from './process.ts';
import { run, scenarioOf } from './rig.ts';

const FILE = 'cifar10/official_data_batch_1_first4000.bin';
const records = (): Uint8Array => cifarRecords(4000, (i) => i % 10);
const digits = {
  kind: 'network',
  dataset: 'digits',
  pool: 7,
  trainSamples: 64,
  model: 'softmax',
  hidden: null,
} as const;
const images: ProblemSpec = { ...digits, dataset: 'cifar10-first4000', pool: 4 };

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sim-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a row of other data is computed anew, and one of the same data is not, wherever they lie', async () => {
  const state = emptyFolder();
  const problem = ['--dataset', 'cifar10-first4000', '--pool', '4', '--train-samples', '64', '--model', 'softmax'];
  const training = ['--methods', 'asgd', '--workers', '1', '--seeds', '1', '--epochs', '1', '--batch', '32'];
  const args = [...problem, ...training, '--threads', '1', '--state', state];
  const ran = async (name: string, files: Record<string, Uint8Array>): Promise<{ kept: boolean; rows: string }> => {
    const json = join(state, `${name}.json`);
    const { code, err } = await sim([...args, '--json', json], { dataDir: folderWith(files) });
    expect(code, err).toBe(0);
    return { kept: err.includes('1 of 1 runs were finished before'), rows: readFileSync(json, 'utf8') };
  };
  const first = await ran('first', { [FILE]: records() });
  const [others, again] = await Promise.all([
    ran('others', { [FILE]: cifarRecords(4000, (i) => (3 * i) % 10) }),
    ran('again', { [`${FILE}.gz`]: gzipSync(records(), { level: 1 }) }),
  ]);
  expect([first.kept, others.kept, again.kept]).toEqual([false, false, true]);
  expect(others.rows).not.toBe(first.rows);
  expect(again.rows).toBe(first.rows);
});

test('one other pixel is other data', async () => {
  const state = emptyFolder();
  const scenario = scenarioOf('asgd', { problem: images });
  const { row } = await run(scenarioOf('asgd', { epochs: 1 }));
  const found = async (change: (bytes: Uint8Array) => void): Promise<RunRow | null> => {
    const bytes = records();
    change(bytes);
    return (await FinishedRows.open(state, folderWith({ [FILE]: bytes }))).find(scenario);
  };
  const rows = await FinishedRows.open(state, folderWith({ [FILE]: records() }));
  expect(await rows.find(scenario)).toBeNull();
  await rows.keep(scenario, row);
  expect(await found(() => undefined)).toEqual(row);
  expect(await found((bytes) => (bytes[3073 * 1234 + 99]! ^= 1))).toBeNull();
});

test('data that are not there are one sentence; problems that read none do not look for them', async () => {
  const rows = await FinishedRows.open(emptyFolder(), '/nowhere');
  await expect(rows.find(scenarioOf('asgd', { problem: images }))).rejects.toThrow(
    /^No file .* in \/nowhere\/cifar10: get/,
  );
  expect(await rows.find(scenarioOf('asgd', { problem: digits }))).toBeNull();
  expect(await rows.find(scenarioOf('asgd'))).toBeNull();
});

/** What is passed from hand to hand on the way: nothing there touches a number. */
const HANDS = ['server/host/sim/thread.ts', 'server/host/sim/contenders.ts', 'server/registry.ts'];

test('a row is of every file that a simulated run reaches, and of every package that computes for it', async () => {
  const texts = new Map(['shared', 'server'].flatMap(sourcesUnder).map(({ path, text }) => [path, text]));
  const methods = [...texts.keys()].filter((path) => path.startsWith('server/methods/'));
  const reached = new Set(['server/host/sim/thread.ts', ...methods]);
  const packages = new Set<string>();
  for (const path of reached) {
    for (const { to, ours, typeOnly } of importsOf(path, texts.get(path)!)) {
      if (typeOnly) continue;
      if (ours) reached.add(to);
      else packages.add(to);
    }
  }
  const parts = await ingredients();
  const known = parts.map((part) => part.split('\n')[0]!);
  expect(reached.size).toBeGreaterThan(100);
  expect([...reached].filter((path) => !known.includes(path) && !HANDS.includes(path))).toEqual([]);
  // Zod checks settings and computes nothing.
  const computing = [...packages].filter((name) => !name.startsWith('node:') && name !== 'zod/mini').sort();
  expect(computing).toEqual(['@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-core']);
  const { resolve } = createRequire(import.meta.url);
  for (const name of [...computing, '@tensorflow/tfjs-backend-cpu']) {
    const { version } = JSON.parse(readFileSync(resolve(`${name}/package.json`), 'utf8')) as { version: string };
    expect(parts).toContain(`${name} ${version}`);
  }
  expect(known).toContain('server/adapters/datasets.ts');
  expect(parts).toContain(`node ${process.version}`);
});
