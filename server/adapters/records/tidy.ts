// Keeps the tables small: curves are thinned with age, and of events and workers only so many are kept.

import { sql } from 'kysely';
import type { NoteKind } from '../../../shared/protocol/snapshots.ts';
import { LOCKED_OUT, WRONG_TOKEN } from '../../records.ts';
import type { Db } from './dialect.ts';
import { SCHEMA } from './schema.ts';

/** Points of so many seconds become means of the next resolution when they are that old. The last are kept. */
export const THINNING = [
  { seconds: 1, into: 10, afterMs: 3_600_000 },
  { seconds: 10, into: 60, afterMs: 86_400_000 },
] as const;

/** What strangers can make happen; of the bans, the operator's own are events of his too. */
const BY_STRANGERS: readonly NoteKind[] = ['joined', 'left', 'refused', 'banned'];
const AT_THE_DOOR = sql`(kind = 'operator' and (starts_with(text, ${WRONG_TOKEN}) or starts_with(text, ${LOCKED_OUT})))`;
const OF_STRANGERS = sql`(kind in (${sql.join(BY_STRANGERS)}) or ${AT_THE_DOOR})`;
/** Counted apart, so that no flood of one pushes out another: what strangers did, what the operator did, and the rest. */
const SHARES = [
  OF_STRANGERS,
  sql`(kind = 'operator' and not ${AT_THE_DOOR})`,
  sql`(kind <> 'operator' and not ${OF_STRANGERS})`,
];
/** Of each of the three; 20 MB a run. */
export const EVENTS_MAX = 50_000;
/** The least useful go first: those with the fewest samples, then those that were here longest ago. */
export const WORKERS_MAX = 50_000;
/** Runs are opened by the operator; a coordinator that is restarted anew every hour has them for over a year. */
export const RUNS_MAX = 10_000;
/** A writer's last batch may be sent again for as long as its process lives. */
const WRITERS_MAX = 1000;

const table = (name: string) => sql.table(`${SCHEMA}.${name}`);

export interface TidyLimits {
  readonly events: number;
  readonly workers: number;
  readonly runs: number;
}
const LIMITS: TidyLimits = { events: EVENTS_MAX, workers: WORKERS_MAX, runs: RUNS_MAX };

/** Each step is a statement of its own: what fails in between is done the next time. */
export async function tidy(db: Db, nowMs: number, limits: TidyLimits = LIMITS): Promise<void> {
  for (const { seconds, into, afterMs } of THINNING) {
    // Whole intervals only, so that each becomes one point.
    const before = new Date(Math.floor((nowMs - afterMs) / (1000 * into)) * 1000 * into);
    await thin(db, { seconds, into, before });
  }
  const { rows: runs } = await sql<{ number: number }>`select number from ${table('runs')} order by number desc`.execute(db); // prettier-ignore
  for (const number of [null, ...runs.map((run) => run.number)]) {
    const own = number === null ? sql`run is null` : sql`run = ${number}`;
    for (const share of SHARES) {
      const these = sql`${own} and ${share}`;
      await sql`delete from ${table('events')} where ${these} and id <= (
        select id from ${table('events')} where ${these} order by id desc offset ${limits.events} limit 1)`.execute(db);
    }
    await sql`delete from ${table('workers')} where run = ${number} and worker in (
      select worker from ${table('workers')} where run = ${number} order by samples desc, last_at desc offset ${limits.workers})`.execute(db); // prettier-ignore
  }
  await sql`delete from ${table('runs')} where number in (
    select number from ${table('runs')} order by seen_at desc offset ${limits.runs})`.execute(db);
  await sql`delete from ${table('writers')} where id in (
    select id from ${table('writers')} order by at desc offset ${WRITERS_MAX})`.execute(db);
}

/** The columns of one point for several: means of what was measured; of what only grows, and of times, the last. */
export const MEANS = sql`max(at) as at, max(time_ms) as time_ms, max(version) as version, max(samples) as samples,
  avg(train_loss) as train_loss, avg(validation_loss) as validation_loss, avg(accuracy) as accuracy,
  avg(lag_mean) as lag_mean, avg(gap_mean) as gap_mean, avg(updates_per_second) as updates_per_second,
  avg(samples_per_second) as samples_per_second, avg(workers) as workers`;

async function thin(db: Db, { seconds, into, before }: { seconds: number; into: number; before: Date }): Promise<void> {
  await sql`
    with old as (delete from ${table('points')} where seconds = ${seconds} and at < ${before} returning *)
    insert into ${table('points')} (run, seconds, at, time_ms, version, samples, train_loss, validation_loss, accuracy,
      lag_mean, gap_mean, updates_per_second, samples_per_second, workers)
    select run, ${sql.lit(into)}, ${MEANS} from old group by run, floor(extract(epoch from at) / ${sql.lit(into)})
    on conflict (run, seconds, at) do nothing`.execute(db);
}
