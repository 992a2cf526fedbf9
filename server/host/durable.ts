// The state folder of a start: taken, numbered, looked through for runs, and written to from then on.

import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { RunConfig } from '../../shared/config.ts';
import { realDisk } from '../adapters/checkpoints/disk.ts';
import { WriterThread } from '../adapters/checkpoints/writer.ts';
import { nextBoot, type Boot } from './boot.ts';
import { Checkpoints, LOOK_EVERY_MS, type CheckpointsOptions } from './checkpoints.ts';
import { lockFolder, type Unlock } from './lock.ts';
import { beginning, goingOn, planRuns, type Opening, type Wanted } from './resume.ts';
import { StoredRuns } from './stored.ts';

export interface StateFolder {
  readonly boot: Boot;
  readonly openings: readonly Opening[];
  /** Writes the runs down from now on. */
  keep(options: Pick<CheckpointsOptions, 'snapshot' | 'version' | 'nowMs' | 'note' | 'failed'>): Keeping;
  unlock: Unlock;
}

export interface Keeping {
  readonly checkpoints: Checkpoints;
  /** What is under way is given up: `checkpoints.finish` comes first. */
  close(): Promise<void>;
}

export interface OpenStateOptions extends Wanted {
  readonly stateDir: string;
  readonly log: Logger;
}

/** Throws one sentence when the folder is in use or cannot be, or when a run in it cannot go on. */
export async function openStateFolder(options: OpenStateOptions): Promise<StateFolder> {
  const { stateDir, log } = options;
  await mkdir(stateDir, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new Error(`cannot make the state folder ${stateDir} (${error.message}): choose another with --state`);
  });
  const unlock = await lockFolder(stateDir);
  try {
    const stored = new StoredRuns(realDisk, stateDir);
    const boot = nextBoot(realDisk, stateDir, stored.highestBoot());
    if (boot.problem !== null) log.error(`the state folder ${stateDir} cannot be written: ${boot.problem}`);
    const openings = open(stored, options);
    return { boot, openings, keep: (of) => keep({ ...of, folder: stored.folder, boot: boot.number }), unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

function open(stored: StoredRuns, { given, byDefault, fresh, log }: OpenStateOptions): Opening[] {
  const plan = planRuns(stored.all(), { given, byDefault, fresh });
  for (const id of plan.aside) log.info(`run ${id} is put aside: ${stored.putAside(id)}`);
  if (plan.hidden > 0) log.info(`${plan.hidden} older finished runs are not shown`);
  const files = new Map<string, RunConfig>(given.map((config) => [config.id, config]));
  const openings = plan.resume.flatMap((id): Opening[] => {
    try {
      return [goingOn(id, stored.read(id), files.get(id))];
    } catch (error) {
      // One that was asked for, or the only one there is, must not be passed over in silence.
      if (files.has(id) || plan.resume.length + plan.begin.length === 1) throw error;
      log.error((error as Error).message);
      return [];
    }
  });
  for (const { config, skipped, said } of openings) {
    for (const { name, reason } of skipped) log.warn({ run: config.id }, `${name} is passed over: ${reason}`);
    for (const sentence of said) log.warn({ run: config.id }, sentence);
  }
  return [...openings, ...plan.begin.map(beginning)];
}

function keep(options: Omit<CheckpointsOptions, 'write' | 'wallMs'>): Keeping {
  const writer = new WriterThread();
  writer.warm();
  const checkpoints = new Checkpoints({ ...options, write: writer.write, wallMs: Date.now });
  const timer = setInterval(() => checkpoints.look(), LOOK_EVERY_MS).unref();
  return {
    checkpoints,
    close: async () => {
      clearInterval(timer);
      checkpoints.close();
      await writer.close();
    },
  };
}
