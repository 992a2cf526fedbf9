// Which runs a start opens: those of the state folder that are not finished, those that it was given, and the default run
// when there is nothing else. What was said on the command line and what is on the disk may differ: here is what counts.

import { isDeepStrictEqual } from 'node:util';
import type { RunConfig } from '../../shared/config.ts';
import type { RunId } from '../../shared/ids.ts';
import type { Found } from '../adapters/checkpoints/folder.ts';
import type { RunSnapshot } from '../core/snapshot.ts';
import type { Glance } from './stored.ts';

/** Finished runs that are shown: each costs its parameters and its curves in memory. */
export const FINISHED_SHOWN_MAX = 16;

export interface Wanted {
  /** By `--run`. */
  readonly given: readonly RunConfig[];
  /** When nothing is given and nothing is there. */
  readonly byDefault: RunConfig | null;
  /** Begin anew what is given, or everything. */
  readonly fresh: boolean;
}

export interface Plan {
  /** Runs to put aside first. */
  readonly aside: readonly RunId[];
  /** Runs to go on with or to show, by their ids. */
  readonly resume: readonly RunId[];
  /** Runs to begin. */
  readonly begin: readonly RunConfig[];
  /** Finished runs that are not shown: there are more than are. */
  readonly hidden: number;
}

/** `stored`: the runs of the state folder, the latest first. */
export function planRuns(stored: readonly Glance[], { given, byDefault, fresh }: Wanted): Plan {
  const asked = new Set(given.map(({ id }) => id));
  const aside = fresh ? stored.map(({ id }) => id).filter((id) => given.length === 0 || asked.has(id)) : [];
  const there = stored.filter(({ id }) => !aside.includes(id));
  const ended = there.filter((run) => run.ended && !asked.has(run.id));
  const shown = new Set(ended.slice(0, FINISHED_SHOWN_MAX).map(({ id }) => id));
  const resume = there.filter((run) => !run.ended || asked.has(run.id) || shown.has(run.id)).map(({ id }) => id);
  const wanted = given.length > 0 || there.length > 0 || !byDefault ? given : [byDefault];
  return {
    aside,
    resume,
    begin: wanted.filter(({ id }) => !resume.includes(id)),
    hidden: ended.length - shown.size,
  };
}

/** Without these the state has no meaning: they say what the parameters are, and which samples were counted. */
const FIXED = ['dataset', 'model', 'seed', 'batchSize', 'shardSamples'] as const;
/** These belong to the run since it began; the method may have been changed from the dashboard. */
const KEPT = ['method', 'epochs'] as const;

/**
 * The configuration to go on with: the stored one, and of the file whatever the state does not depend on. `said` names the
 * fields that the file would have otherwise. Throws one message when the file describes another run of the same id.
 */
export function reconcile(stored: RunConfig, file: RunConfig): { config: RunConfig; said: string[] } {
  const differs = (field: keyof RunConfig): boolean => !isDeepStrictEqual(stored[field], file[field]);
  const other = FIXED.filter(differs);
  if (other.length > 0) {
    throw new Error(
      `the run file of "${file.id}" describes another run than the one in the state folder: ${other.map((field) => change(field, stored, file)).join(', ')}. ` +
        `Give it another id, begin anew with --fresh (the old run is put aside), or choose another folder with --state.`,
    );
  }
  const kept = Object.fromEntries([...FIXED, ...KEPT].map((field) => [field, stored[field]]));
  const said = KEPT.filter(differs).map((field) => `${change(field, stored, file)}; the stored one counts`);
  return { config: { ...file, ...kept }, said };
}

const change = (field: keyof RunConfig, stored: RunConfig, file: RunConfig): string =>
  `${field} is ${JSON.stringify(stored[field])} in the folder and ${JSON.stringify(file[field])} in the file`;

/** A run with all that it is opened with. */
export interface Opening {
  readonly config: RunConfig;
  readonly snapshot: RunSnapshot | null;
  readonly resumed: { readonly version: number; readonly savedMs: number } | null;
  readonly skipped: Found['skipped'];
  readonly said: readonly string[];
}

export const beginning = (config: RunConfig): Opening => ({
  ...{ config, snapshot: null, resumed: null, skipped: [], said: [] },
});

/** What a run goes on with. Throws one message when none of its checkpoints can be read, or the file does not fit. */
export function goingOn(id: RunId, { checkpoint, skipped }: Found, file: RunConfig | undefined): Opening {
  if (!checkpoint) {
    const why = skipped.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
    throw new Error(
      `no checkpoint of run "${id}" can be read (${why}). Begin it anew with --fresh (what is there is put aside), or choose another folder with --state.`,
    );
  }
  const { snapshot, savedAt } = checkpoint;
  if (snapshot.config.id !== id) {
    throw new Error(`the folder of run "${id}" has checkpoints of run "${snapshot.config.id}": give it that name`);
  }
  const { config, said } = file ? reconcile(snapshot.config, file) : { config: snapshot.config, said: [] };
  return { config, snapshot, resumed: { version: snapshot.version, savedMs: Date.parse(savedAt) }, skipped, said };
}
