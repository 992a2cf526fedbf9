// The runs of a state folder, as their checkpoints have them, and those that are put aside. A run's folder has its id for a
// name; anything else is not looked at.

import { join } from 'node:path';
import type { Disk } from '../adapters/checkpoints/disk.ts';
import { highestBoot, newestFirst, newestGood, type Found } from '../adapters/checkpoints/folder.ts';
import { PEEK_BYTES, peekCheckpoint } from '../adapters/checkpoints/format.ts';
import { asRunId, type RunId } from '../../shared/ids.ts';

export const RUNS_FOLDER = 'runs';
const ASIDE_FOLDER = 'aside';
const ID = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** What a glance at a run's folder says: enough to choose which to read whole. */
export interface Glance {
  readonly id: RunId;
  readonly ended: boolean;
  /** ISO 8601; empty when the newest checkpoint does not say. */
  readonly savedAt: string;
}

export class StoredRuns {
  readonly #disk: Disk;
  readonly #stateDir: string;

  constructor(disk: Disk, stateDir: string) {
    this.#disk = disk;
    this.#stateDir = stateDir;
  }

  get folder(): string {
    return join(this.#stateDir, RUNS_FOLDER);
  }

  /** Every run with a checkpoint, the latest first. One that cannot be read counts as not ended: it is to be told of. */
  all(): Glance[] {
    const runs = this.#disk.list(this.folder).filter((name) => ID.test(name));
    const glances = runs.flatMap((name): Glance[] => {
      const [newest] = newestFirst(this.#names(name));
      if (newest === undefined) return [];
      const said = peekCheckpoint(this.#beginning(join(this.folder, name, newest)));
      return [{ id: asRunId(name), ended: said?.ended ?? false, savedAt: said?.savedAt ?? '' }];
    });
    return glances.sort((a, b) => (a.savedAt < b.savedAt ? 1 : -1));
  }

  /** Reads the newest good checkpoint of a run. */
  read(id: RunId): Found {
    return newestGood(this.#disk, join(this.folder, id));
  }

  /** The highest boot in the name of any checkpoint. */
  highestBoot(): number {
    return Math.max(0, ...this.all().map(({ id }) => highestBoot(this.#names(id))));
  }

  /** Moves a run's folder out of the way, whole. Returns where it is now. */
  putAside(id: RunId): string {
    const aside = join(this.#stateDir, ASIDE_FOLDER);
    this.#disk.makeFolder(aside);
    const taken = new Set(this.#disk.list(aside));
    let number = 1;
    while (taken.has(`${id}-${number}`)) number += 1;
    const to = join(aside, `${id}-${number}`);
    this.#disk.rename(join(this.folder, id), to);
    this.#disk.syncFolder(aside);
    this.#disk.syncFolder(this.folder);
    return to;
  }

  #names(id: string): string[] {
    try {
      return this.#disk.list(join(this.folder, id));
    } catch {
      return []; // no folder, or not ours to read: no run
    }
  }

  #beginning(path: string): Uint8Array {
    try {
      return this.#disk.peek(path, PEEK_BYTES);
    } catch {
      return new Uint8Array(0);
    }
  }
}
