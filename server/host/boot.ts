// How many times the coordinator was started on its state folder. The number is in the names of leases and checkpoints, so
// that none is taken for one of an earlier start; it is on the disk before anyone is served.

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Disk } from '../adapters/checkpoints/disk.ts';

const FILE = 'boot';
/** A number that could not be written down is drawn from so many, lest the next start take the same. */
const UNWRITTEN_RANGE = 1_000_000;

export interface Boot {
  readonly number: number;
  /** Why it could not be written down; null when it was. */
  readonly problem: string | null;
}

/** The number of this start: more than any before, of which `highestSeen` may tell where the file cannot. */
export function nextBoot(disk: Disk, stateDir: string, highestSeen: number): Boot {
  const last = Math.max(highestSeen, read(disk, stateDir));
  const path = join(stateDir, FILE);
  const number = last + 1;
  try {
    const file = disk.create(`${path}.unfinished`);
    try {
      file.write(Buffer.from(`${number}\n`));
      file.sync();
    } finally {
      file.close();
    }
    disk.rename(`${path}.unfinished`, path);
    disk.syncFolder(stateDir);
    return { number, problem: null };
  } catch (error) {
    return { number: number + randomInt(UNWRITTEN_RANGE), problem: (error as Error).message };
  }
}

function read(disk: Disk, stateDir: string): number {
  try {
    const number = Number(Buffer.from(disk.read(join(stateDir, FILE))).toString());
    return Number.isSafeInteger(number) && number > 0 ? number : 0;
  } catch {
    return 0;
  }
}
