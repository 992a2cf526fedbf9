// The questions of the API. All bounded.

import { sql, type Selectable } from 'kysely';
import type { Contributor, HistoryPoint, PastRun } from '../../../shared/protocol/records.ts';
import type { NoteKind, NoteRow } from '../../../shared/protocol/snapshots.ts';
import { CONTRIBUTORS_PAGE_MAX, RUNS_PAGE_MAX, type EventsQuery, type RunKey } from '../../records.ts';
import type { Db } from './dialect.ts';
import { SCHEMA, type Tables } from './schema.ts';
import { MEANS } from './tidy.ts';

const table = (name: string) => sql.table(`${SCHEMA}.${name}`);

/** The run's number among all; null when there was never such a one. */
export async function findRun(db: Db, { run, number }: RunKey): Promise<number | null> {
  let query = db.selectFrom('runs').select('number').where('id', '=', run);
  if (number !== undefined) query = query.where('number', '=', number);
  const found = await query.orderBy('number', 'desc').limit(1).executeTakeFirst();
  return found?.number ?? null;
}

/** The largest number of an event or a run; 0 when there is none. */
export async function largestId(db: Db): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    select coalesce(greatest((select max(id) from ${table('events')}), (select max(number) from ${table('runs')})), 0)
      as id`.execute(db);
  return rows[0]!.id;
}

/** Of a run's life, the minute until it may be seen again too. */
const duringLifeOf = (run: number) =>
  sql<boolean>`at between (select opened_at from ${table('runs')} where number = ${run})
    and (select seen_at + interval '1 minute' from ${table('runs')} where number = ${run})`;

export async function readEvents(db: Db, run: number, { before, limit, kinds }: EventsQuery): Promise<NoteRow[]> {
  if (kinds.length === 0) return [];
  let query = db
    .selectFrom('events')
    .select(['id', 'at', 'kind', 'worker', 'text'])
    .where((eb) => eb.or([eb('run', '=', run), eb.and([eb('run', 'is', null), duringLifeOf(run)])]))
    .where('kind', 'in', kinds);
  if (before !== null) query = query.where('id', '<', before);
  const rows = await query.orderBy('id', 'desc').limit(limit).execute();
  return rows.map(({ id, at, kind, worker, text }) => ({
    id,
    at: at.toISOString(),
    kind: kind as NoteKind,
    worker,
    text,
  }));
}

type PointRow = Omit<Selectable<Tables['points']>, 'run' | 'seconds'>;

/** The run's whole time in at most `pointsMax` equal parts, a point for each in which there was something. */
export async function readHistory(db: Db, run: number, pointsMax: number): Promise<HistoryPoint[]> {
  const { rows } = await sql<PointRow>`
    with own as (select * from ${table('points')} where run = ${run}),
    span as (select min(at) as first, extract(epoch from max(at) - min(at)) as length from own)
    select ${MEANS} from own, span
    group by floor(case when length = 0 then 0 else
      least(extract(epoch from at - first) / length * ${sql.lit(pointsMax)}, ${sql.lit(pointsMax - 1)}) end)
    order by 1`.execute(db);
  return rows.map((row) => ({
    at: row.at.toISOString(),
    timeMs: row.time_ms,
    version: row.version,
    samples: row.samples,
    trainLoss: row.train_loss,
    validationLoss: row.validation_loss,
    accuracy: row.accuracy,
    lagMean: row.lag_mean,
    gapMean: row.gap_mean,
    updatesPerSecond: row.updates_per_second,
    samplesPerSecond: row.samples_per_second,
    workers: row.workers,
  }));
}

export async function readContributors(db: Db, run: number): Promise<Contributor[]> {
  const rows = await db
    .selectFrom('workers')
    .selectAll()
    .where('run', '=', run)
    .orderBy('samples', 'desc')
    .orderBy('worker')
    .limit(CONTRIBUTORS_PAGE_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.worker,
    name: row.name,
    backend: row.backend as Contributor['backend'],
    firstAt: row.first_at.toISOString(),
    lastAt: row.last_at.toISOString(),
    pushes: row.pushes,
    samples: row.samples,
    refused: row.refused,
    bytesIn: row.bytes_in,
    bytesOut: row.bytes_out,
  }));
}

export async function readRuns(db: Db): Promise<PastRun[]> {
  const rows = await db
    .selectFrom('runs')
    .select((eb) => [
      'number',
      'id',
      'opened_at',
      'seen_at',
      'summary',
      eb
        .selectFrom('workers')
        .whereRef('workers.run', '=', 'runs.number')
        .select(eb.fn.countAll<number>().as('count'))
        .as('contributors'),
    ])
    .orderBy('number', 'desc')
    .limit(RUNS_PAGE_MAX)
    .execute();
  return rows.map(({ number, id, opened_at, seen_at, summary, contributors }) => ({
    number,
    id,
    openedAt: opened_at.toISOString(),
    seenAt: seen_at.toISOString(),
    summary,
    contributors: contributors ?? 0,
  }));
}
