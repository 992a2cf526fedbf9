// Finished rows on disk, so that an interrupted table goes on where it stopped. A row is found again by what it depends
// on: its scenario, the code and the packages that made it, and the samples it was computed from.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRow } from '../../sim/row.ts';
import type { Scenario } from '../../sim/scenario.ts';
import { ingredients, SampleHashes } from './provenance.ts';

export class FinishedRows {
  readonly #folder: string;
  readonly #version: string;
  readonly #samples: SampleHashes;

  private constructor(folder: string, version: string, samples: SampleHashes) {
    this.#folder = folder;
    this.#version = version;
    this.#samples = samples;
  }

  /** Rows in `<stateDir>/sim`, as far as they were made by the code as it is now, of the data that are in `dataDir` now. */
  static async open(stateDir: string, dataDir: string): Promise<FinishedRows> {
    const folder = join(stateDir, 'sim');
    await mkdir(folder, { recursive: true });
    return new FinishedRows(folder, digest((await ingredients()).join('\n')), new SampleHashes(dataDir));
  }

  /** Throws one sentence when the scenario's data are not to be had. */
  async find(scenario: Scenario): Promise<RunRow | null> {
    const text = await readFile(await this.#path(scenario), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    return text === null ? null : (JSON.parse(text) as { row: RunRow }).row;
  }

  /** Whole or not at all, whenever the process ends. */
  async keep(scenario: Scenario, row: RunRow): Promise<void> {
    const path = await this.#path(scenario);
    const partial = `${path}.${process.pid}.partial`;
    await writeFile(partial, JSON.stringify({ scenario, row }));
    await rename(partial, path);
  }

  async #path(scenario: Scenario): Promise<string> {
    const samples = (await this.#samples.of(scenario.problem)) ?? 'no files';
    return join(this.#folder, `${digest(`${this.#version}\n${samples}\n${JSON.stringify(scenario)}`)}.json`);
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
