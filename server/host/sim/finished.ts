// Finished rows on disk, so that an interrupted table goes on where it stopped. A row is found again by what it depends
// on: its scenario, and the code that made it. Comments may change.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunRow } from '../../sim/row.ts';
import type { Scenario } from '../../sim/scenario.ts';

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
/** Of those, what only shows rows and chooses scenarios. */
const LEFT_OUT = [
  /^server\/sim\/report\//,
  /^server\/sim\/experiments\/(?!baselines)/,
  /^server\/host\/sim\/(?!data|pool|trainable)/,
];
const WHOLE_LINE_COMMENT = /^\s*(\/\/|\/?\*).*$\n?/gm;

export class FinishedRows {
  readonly #folder: string;
  readonly #version: string;

  private constructor(folder: string, version: string) {
    this.#folder = folder;
    this.#version = version;
  }

  /** Rows in `<stateDir>/sim`, as far as they were made by the code as it is now. */
  static async open(stateDir: string): Promise<FinishedRows> {
    const folder = join(stateDir, 'sim');
    await mkdir(folder, { recursive: true });
    return new FinishedRows(folder, await codeVersion());
  }

  async find(scenario: Scenario): Promise<RunRow | null> {
    const text = await readFile(this.#path(scenario), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    return text === null ? null : (JSON.parse(text) as { row: RunRow }).row;
  }

  /** Whole or not at all, whenever the process ends. */
  async keep(scenario: Scenario, row: RunRow): Promise<void> {
    const path = this.#path(scenario);
    const partial = `${path}.${process.pid}.partial`;
    await writeFile(partial, JSON.stringify({ scenario, row }));
    await rename(partial, path);
  }

  #path(scenario: Scenario): string {
    return join(this.#folder, `${digest(`${this.#version}\n${JSON.stringify(scenario)}`)}.json`);
  }
}

async function codeVersion(): Promise<string> {
  const parts = [process.version];
  for (const folder of FOLDERS) {
    const names = await readdir(join(SOURCE, folder), { recursive: true });
    for (const name of names.sort()) {
      const path = `${folder}/${name.replaceAll('\\', '/')}`;
      if (!path.endsWith('.ts') || LEFT_OUT.some((pattern) => pattern.test(path))) continue;
      const text = await readFile(join(SOURCE, path), 'utf8');
      parts.push(`${path}\n${text.replace(WHOLE_LINE_COMMENT, '')}`);
    }
  }
  return digest(parts.join('\n'));
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
