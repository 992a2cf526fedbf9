// What a long run with workers that come and go is held to.

import type { LiveBytes } from '../chaos/process.ts';
import { longestStall, slope, type Point } from './trend.ts';

/** At least once in this time the version rises. */
const STALL_S_MAX = 30;
/** Objects and compiled code together. */
const HEAP_MB_PER_HOUR_MAX = 1;
/** Buffers come and go by tens of MB, with the leases of killed workers: half an hour can tell no less growth from none. */
const BUFFERS_MB_PER_HOUR_MAX = 100;
/** The first part of the run does not count: caches fill and code is compiled, for a quarter of an hour or so. */
const WARM_UP_PART = 0.5;

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export interface Look {
  readonly seconds: number;
  readonly version: number;
  /** After a full collection; null of a look without one. */
  readonly live: LiveBytes | null;
  /** Of the process, in bytes. */
  readonly residentBytes: number;
}

export interface Claim {
  readonly claim: string;
  readonly found: string;
  readonly holds: boolean;
}

export function verdict(looks: readonly Look[], kills: number, accidents: readonly string[]): Claim[] {
  const stall = longestStall(looks.map(({ seconds, version }) => ({ at: seconds, value: version })));
  const from = (looks.at(-1)?.seconds ?? 0) * WARM_UP_PART;
  const warm = looks.filter(({ seconds, live }) => seconds >= from && live !== null);
  const trend = (of: (live: LiveBytes) => number): { perHour: number | null; found: string } => {
    const points = warm.map(({ seconds, live }): Point => ({ at: seconds / 3600, value: of(live!) / 1e6 }));
    const perHour = slope(points);
    const [first, last] = [points[0], points.at(-1)].map((point) => point?.value.toFixed(1));
    const found = perHour === null ? 'not measured' : `${perHour.toFixed(2)} MB an hour, from ${first} to ${last} MB`;
    return { perHour, found };
  };
  const heap = trend(({ objects, code }) => objects + code);
  const ofCode = trend(({ code }) => code);
  const buffers = trend((live) => live.buffers);
  const resident = Math.max(0, ...looks.map(({ residentBytes }) => residentBytes)) / 1e6;
  return [
    {
      claim: `The version rises at least every ${STALL_S_MAX} s`,
      found: `${stall.toFixed(0)} s at the longest; ${looks.at(-1)?.version ?? 0} updates`,
      holds: looks.length > 1 && stall <= STALL_S_MAX,
    },
    {
      claim: `The heap grows by less than ${HEAP_MB_PER_HOUR_MAX} MB an hour after the first half`,
      found: `${heap.found}; of it compiled code ${ofCode.found}`,
      holds: heap.perHour !== null && heap.perHour < HEAP_MB_PER_HOUR_MAX,
    },
    {
      claim: `Buffers grow by less than ${BUFFERS_MB_PER_HOUR_MAX} MB an hour after the first half`,
      found: `${buffers.found}; ${resident.toFixed(0)} MB resident at the most`,
      holds: buffers.perHour !== null && buffers.perHour < BUFFERS_MB_PER_HOUR_MAX,
    },
    {
      claim: 'No worker is banned and no process ends by itself: no unhandled rejection, no exception',
      found: accidents.length === 0 ? `none; ${kills} workers killed` : accidents.join('; '),
      holds: accidents.length === 0 && kills > 0,
    },
  ];
}

export function report(claims: readonly Claim[]): string {
  const lines = claims.map(({ claim, found, holds }) => `| ${claim} | ${found.replaceAll('|', '/').replaceAll('\n', ' ')} | ${holds ? 'yes' : '**no**'} |`); // prettier-ignore
  return ['| claim | found | holds |', '| --- | --- | --- |', ...lines].join('\n');
}
