// A method that is one file more in a folder and nothing else: the one in CONTRIBUTING.md, read from there, so that the
// document stays true. In tests, simulator, API and a live run.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadMethods, methodNamed, type Registry } from '../../server/registry.ts';
import { quadratic } from '../../server/sim/problems/quadratic.ts';
import { simulate } from '../../server/sim/simulator.ts';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { digitsRun, PlainWorker, start } from '../server/harness.ts';
import { scenarioOf } from '../sim/rig.ts';
import { checkHyperparameters, checkMethod } from './checks.ts';

const NAME = 'softsync';
const CORE = fileURLToPath(new URL('../../server/core/', import.meta.url));
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** The code of the document, with imports that lead to the same stages from any folder. */
async function documentedMethod(): Promise<string> {
  const text = await readFile('CONTRIBUTING.md', 'utf8');
  const code = /^## A new method\n[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '';
  return code.replaceAll("'../core/", `'${CORE}`);
}

/** A fresh folder with the documented method as its only file. */
async function folderWith(file: string): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'one-file-'));
  folders.push(folder);
  await writeFile(join(folder, file), await documentedMethod());
  return pathToFileURL(`${folder}/`);
}

const methods: Registry = await loadMethods(await folderWith(`${NAME}.ts`));
const method = methodNamed(methods, NAME);

it('[A9] one file in a folder is a method, found by its name', () => {
  expect([...methods.keys()]).toEqual([NAME]);
});

it('[A9] a file whose name is not its method’s is refused in one sentence', async () => {
  const folder = await folderWith('soft-sync.ts');
  await expect(loadMethods(folder)).rejects.toThrow(
    `${folder.pathname}soft-sync.ts: expected a default export named "soft-sync", found "softsync"`,
  );
});

describe(NAME, () => checkMethod(method));

describe(`hyper-parameters of ${NAME}`, () => checkHyperparameters(method));

it('[A9] the simulator runs a method of one file', async () => {
  const problem = { kind: 'quadratic', curvatures: [1, 0.1], noise: 0.1, samples: 2000 } as const;
  const config = { name: NAME, learningRate: 0.1, weightDecay: 0, schedule: {}, bufferSize: 4 };
  const row = await simulate(scenarioOf(NAME, { method: config, problem, epochs: 10 }), {
    methods,
    problem: quadratic(problem),
  });
  expect(row.end).toBe('finished');
  expect(row.version).toBeCloseTo(row.samples / 20 / 4, -1); // a quarter of the pushes
  expect(row.finalLoss).toBeLessThan(0.5 * row.curve[0]!.loss!);
});

it('[A9] the API lists a method of one file, and a run of it takes pushes', async () => {
  const config = digitsRun(`method: { name: ${NAME}, learningRate: 0.01, bufferSize: 2 }`);
  const coordinator = await start([config], { methods });
  try {
    const get = async <T>(path: string): Promise<T> => (await fetch(coordinator.url + path)).json() as Promise<T>;
    const { title, paper } = method;
    const hyperparameters = [expect.objectContaining({ name: 'bufferSize', symbol: 'c', default: 2 })];
    expect(await get('/api/methods')).toMatchObject([{ name: NAME, title, paper, hyperparameters }]);
    const worker = await PlainWorker.join(coordinator.url);
    const gradient = new Float32Array(7850).fill(1);
    const first = await worker.lease();
    const { reply, params: second } = await worker.push(first, gradient);
    expect(reply).toMatchObject({ outcome: 'buffered', version: 0 });
    const { reply: applied, params: third } = await worker.push(second!, gradient);
    expect(applied).toMatchObject({ outcome: 'applied', version: 1 });
    expect(third!.theta[0]! - first.theta[0]!).toBeCloseTo(-0.01, 6);
    expect((await get<RunSummary[]>('/api/runs'))[0]).toMatchObject({ method: NAME, version: 1 });
  } finally {
    await coordinator.close();
  }
});
