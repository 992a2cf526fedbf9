// What a row comes of beside its scenario: the code, the packages that compute, and the samples in the operator's files.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDataset } from '../../adapters/datasets.ts';
import { SOURCES } from '../../adapters/datasets/sources.ts';
import type { ProblemSpec } from '../../sim/scenario.ts';

const SOURCE = fileURLToPath(new URL('../../../', import.meta.url));
/** Of these, every file: the machines, the arithmetic, the simulator, and how the data are cut. */
const FOLDERS = [
  'shared',
  'server/core',
  'server/methods',
  'server/sim',
  'server/adapters/datasets',
  'server/host/sim',
];
const FILES = ['server/adapters/datasets.ts'];
/** Of those, what only shows rows and chooses scenarios. */
const LEFT_OUT = [
  /^server\/sim\/report\//,
  /^server\/sim\/experiments\/(?!baselines)/,
  /^server\/host\/sim\/(?!(data|pool|trainable)\.ts$)/,
];
const WHOLE_LINE_COMMENT = /^\s*(\/\/|\/?\*).*$\n?/gm;

/** The version of everything that computes. Comments may change. */
export async function ingredients(): Promise<string[]> {
  const paths = await sourcePaths();
  const sources = paths.map(async (path) => {
    const text = await readFile(join(SOURCE, path), 'utf8');
    return `${path}\n${text.replace(WHOLE_LINE_COMMENT, '')}`;
  });
  return [`node ${process.version}`, ...(await packageVersions()), ...(await Promise.all(sources))];
}

async function sourcePaths(): Promise<string[]> {
  const paths = FOLDERS.map(async (folder) => {
    const names = await readdir(join(SOURCE, folder), { recursive: true });
    return names.sort().map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
  });
  const all = [...(await Promise.all(paths)).flat(), ...FILES];
  return all.filter((path) => path.endsWith('.ts') && !LEFT_OUT.some((pattern) => pattern.test(path)));
}

/** All of TensorFlow.js: what we import of it stands on others of its packages. */
async function packageVersions(): Promise<string[]> {
  const core = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json');
  const folder = dirname(dirname(core));
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const versions = names.map(async (name) => {
    const { version } = JSON.parse(await readFile(join(folder, name, 'package.json'), 'utf8')) as { version: string };
    return `@tensorflow/${name} ${version}`;
  });
  return Promise.all(versions);
}

/** The samples that problems are made of, as hashes. Each data set is loaded once, and only when a problem needs it. */
export class SampleHashes {
  readonly #dataDir: string;
  readonly #hashes = new Map<string, Promise<string>>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Null of a problem that reads no files. Throws one sentence when they are not to be had. */
  async of(problem: ProblemSpec): Promise<string | null> {
    if (problem.kind !== 'network' || !Object.hasOwn(SOURCES, problem.dataset)) return null;
    const { dataset } = problem;
    const hash = this.#hashes.get(dataset) ?? this.#hash(dataset);
    this.#hashes.set(dataset, hash);
    return hash;
  }

  async #hash(name: string): Promise<string> {
    const { train, validation, test } = await loadDataset(name, { dataDir: this.#dataDir });
    const hash = createHash('sha256');
    for (const { count, labels, features } of [train, validation, test]) {
      hash.update(`${count}\n`).update(labels).update(features);
    }
    return hash.digest('hex');
  }
}
