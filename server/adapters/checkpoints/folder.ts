// The checkpoints of one run in their folder: how a new one gets there so that a crash at any moment leaves the ones before
// it whole, which of them is the newest good one, and which are too many.

import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { bytesOf, decodeCheckpoint, seal, type Checkpoint, type Encoded } from './format.ts';

const NAME = /^checkpoint-(\d+)-(\d+)\.safetensors$/;
/** Never taken for a checkpoint; what a crash left of one is removed at the next start. */
const TEMPORARY = '.unfinished-';

/** `checkpoint-<version>-<boot>.safetensors`, padded so that a listing is in order. */
export const checkpointName = ({ version, boot }: { version: number; boot: number }): string =>
  `checkpoint-${String(version).padStart(9, '0')}-${String(boot).padStart(6, '0')}.safetensors`;

export interface WriteJob {
  readonly folder: string;
  readonly name: string;
  readonly encoded: Encoded;
  /** So many good ones stay. */
  readonly keep: number;
  /** Names of those that could not be read: they are not counted among the good ones. */
  readonly damaged: readonly string[];
}

export interface Written {
  readonly bytes: number;
  /** Why older ones could not be removed; null when they were. */
  readonly left: string | null;
}

/**
 * Temporary file → write → fsync → rename → fsync of the folder; then those that are too many go. Throws what the disk
 * threw: the checkpoints that were there are there still.
 */
export function writeCheckpoint(disk: Disk, { folder, name, encoded, keep, damaged }: WriteJob): Written {
  seal(encoded);
  disk.makeFolder(folder);
  const temporary = join(folder, TEMPORARY + name);
  try {
    const file = disk.create(temporary);
    try {
      file.write(encoded.head);
      for (const vector of encoded.vectors) file.write(bytesOf(vector));
      file.sync();
    } finally {
      file.close();
    }
    disk.rename(temporary, join(folder, name));
  } catch (error) {
    attempt(() => disk.remove(temporary)); // it may be what fills the disk
    throw error;
  }
  disk.syncFolder(folder);
  const bytes = encoded.vectors.reduce((sum, { byteLength }) => sum + byteLength, encoded.head.byteLength);
  return { bytes, left: attempt(() => prune(disk, folder, { keep, damaged: new Set(damaged) })) };
}

/** Names of the checkpoints, the newest first: by the boot, as a run may have gone back to an older one; then by version. */
export function newestFirst(names: readonly string[]): string[] {
  const order = (name: string): [number, number] => {
    const [, version, boot] = NAME.exec(name)!;
    return [Number(boot), Number(version)];
  };
  return names
    .filter((name) => NAME.test(name))
    .sort((a, b) => {
      const [[bootA, versionA], [bootB, versionB]] = [order(a), order(b)];
      return bootB - bootA || versionB - versionA;
    });
}

function prune(disk: Disk, folder: string, { keep, damaged }: { keep: number; damaged: ReadonlySet<string> }): void {
  const names = newestFirst(disk.list(folder));
  const last = names.filter((name) => !damaged.has(name))[keep - 1];
  if (last === undefined) return;
  for (const name of names.slice(names.indexOf(last) + 1)) disk.remove(join(folder, name));
}

export interface Found {
  /** The newest that can be read; null when there is none. */
  readonly checkpoint: Checkpoint | null;
  readonly name: string | null;
  /** Newer ones that cannot, and why: one sentence each. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** The newest good checkpoint of a folder. What a crash left unfinished is removed. */
export function newestGood(disk: Disk, folder: string): Found {
  const names = disk.list(folder);
  for (const name of names) if (name.startsWith(TEMPORARY)) attempt(() => disk.remove(join(folder, name)));
  const skipped: { name: string; reason: string }[] = [];
  for (const name of newestFirst(names)) {
    try {
      return { checkpoint: decodeCheckpoint(disk.read(join(folder, name))), name, skipped };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      skipped.push({ name, reason: code ? `it cannot be read (${code})` : message });
    }
  }
  return { checkpoint: null, name: null, skipped };
}

/** The highest boot that any checkpoint of the folder was written in; 0 for none. */
export const highestBoot = (names: readonly string[]): number =>
  Math.max(0, ...names.map((name) => Number(NAME.exec(name)?.[2] ?? 0)));

/** Why it could not be done; null when it was. By its code: the disk's own words have paths in them, which are nobody's business. */
function attempt(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
