// How the coordinator itself is, in words. Pure.

import type { Health, Problem } from '../../shared/protocol/snapshots.ts';
import { count, counted, duration } from '../page/format.ts';

const TITLES: Record<Problem['kind'], string> = {
  checkpoint: 'The run is not being saved',
  records: 'The records are not being written',
  'event-log': 'The event log has ended',
  overload: 'The coordinator has more to do than it can',
};

/** What is lost if nothing is done about it. */
const SEVERE: readonly Problem['kind'][] = ['checkpoint'];

export const problemTitle = ({ kind }: Problem): string => TITLES[kind];
export const isSevere = ({ kind }: Problem): boolean => SEVERE.includes(kind);
export const problemSince = ({ forMs }: Problem): string => `For ${duration(forMs)}.`;

/** "All well", or how much is not. */
export const healthTitle = ({ problems }: Health): string =>
  problems.length === 0 ? 'All well' : counted(problems.length, 'problem');

/** "Saved 12 s ago, version 1,234". A run of a coordinator that keeps none is not named at all. */
export function checkpointText({ checkpoints }: Health, run: string): string | null {
  if (!Object.hasOwn(checkpoints, run)) return null;
  const last = checkpoints[run];
  return last ? `Saved ${duration(last.ageMs)} ago, version ${count(last.version)}` : 'Not saved yet';
}

export const uptimeText = ({ uptimeSeconds }: Health): string => `Up ${duration(1000 * uptimeSeconds)}`;
