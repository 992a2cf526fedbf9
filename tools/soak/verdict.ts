// What a long run with workers that come and go is held to.

import { longestStall, slope, type Point } from './trend.ts';

/** At least once in this time the version rises. */
const STALL_S_MAX = 30;
const LIVE_MB_PER_HOUR_MAX = 1;
/** The first part of the run does not count: for a quarter of an hour or so caches fill, and code is compiled. */
const WARM_UP_PART = 0.5;

export interface Look {
  readonly seconds: number;
  readonly version: number;
  /** Of objects and buffers after a full collection, in bytes; null of a look without one. */
  readonly liveBytes: number | null;
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
  const live = looks.flatMap(({ seconds, liveBytes }): Point[] => {
    return liveBytes === null || seconds < from ? [] : [{ at: seconds / 3600, value: liveBytes / 1e6 }];
  });
  const grown = slope(live);
  const [first, last] = [live[0], live.at(-1)].map((point) => point?.value.toFixed(1));
  const resident = Math.max(0, ...looks.map(({ residentBytes }) => residentBytes)) / 1e6;
  return [
    {
      claim: `The version rises at least every ${STALL_S_MAX} s`,
      found: `${stall.toFixed(0)} s at the longest; ${looks.at(-1)?.version ?? 0} updates`,
      holds: looks.length > 1 && stall <= STALL_S_MAX,
    },
    {
      claim: `What lives (objects and buffers) grows by less than ${LIVE_MB_PER_HOUR_MAX} MB an hour after the first half`,
      found: grown === null ? 'not measured' : `${grown.toFixed(2)} MB an hour, from ${first} to ${last} MB; ${resident.toFixed(0)} MB resident at the most`, // prettier-ignore
      holds: grown !== null && grown < LIVE_MB_PER_HOUR_MAX,
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
