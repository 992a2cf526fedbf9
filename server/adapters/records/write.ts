// Writes a batch in one transaction. Sent again, because nobody knows whether it arrived, it changes nothing.

import { sql, type Transaction } from 'kysely';
import type { Batch, RunOpening } from './buffer.ts';
import type { Db } from './dialect.ts';
import type { Tables } from './schema.ts';
import { cleanJson, cleanText } from './text.ts';

/** The writer's own id, and the number of the batch: larger than that of any it wrote before. */
export interface BatchMark {
  readonly writer: number;
  readonly batch: number;
  readonly atMs: number;
}

/** The number of a run that is opened: a new one, or that of the latest of its id. */
export async function openRun(
  db: Db,
  { run, resumed, number, atMs }: RunOpening & { number: number },
): Promise<number> {
  const at = new Date(atMs);
  if (resumed) {
    const latest = await db.selectFrom('runs').select('number').where('id', '=', run).orderBy('number', 'desc').limit(1).executeTakeFirst(); // prettier-ignore
    if (latest) return latest.number;
  }
  await db
    .insertInto('runs')
    .values({ number, id: run, opened_at: at, seen_at: at, summary: null })
    .onConflict((conflict) => conflict.column('number').doNothing())
    .execute();
  return number;
}

export async function writeBatch(
  db: Db,
  batch: Batch,
  { mark, numberOf }: { mark: BatchMark; numberOf: (run: string) => number },
): Promise<void> {
  const at = new Date(mark.atMs);
  await db.transaction().execute(async (transaction) => {
    const first = await transaction
      .insertInto('writers')
      .values({ id: mark.writer, batch: mark.batch, at })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ batch: mark.batch, at }).where('writers.batch', '<', mark.batch),
      )
      .returning('id')
      .execute();
    if (first.length === 0) return;
    await writeRuns(transaction, batch, numberOf);
    await writeWorkers(transaction, batch, numberOf);
    await writeNotes(transaction, batch, numberOf);
    await writePoints(transaction, batch, numberOf);
  });
}

type Write = (db: Transaction<Tables>, batch: Batch, numberOf: (run: string) => number) => Promise<void>;

const writeRuns: Write = async (db, { runs }, numberOf) => {
  for (const { run, atMs, row } of runs) {
    await db
      .updateTable('runs')
      .set({ seen_at: new Date(atMs), summary: cleanJson(row) })
      .where('number', '=', numberOf(run))
      .execute();
  }
};

const writeWorkers: Write = async (db, { workers }, numberOf) => {
  if (workers.length === 0) return;
  const added = (column: 'pushes' | 'samples' | 'refused' | 'bytes_in' | 'bytes_out') =>
    sql<number>`${sql.ref(`workers.${column}`)} + ${sql.ref(`excluded.${column}`)}`;
  await db
    .insertInto('workers')
    .values(
      workers.map(({ run, atMs, firstMs, row }) => ({
        run: numberOf(run),
        worker: cleanText(row.worker),
        name: cleanText(row.name),
        backend: row.backend,
        first_at: new Date(firstMs),
        last_at: new Date(atMs),
        pushes: row.pushes,
        samples: row.samples,
        refused: row.refused,
        bytes_in: row.bytesIn,
        bytes_out: row.bytesOut,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['run', 'worker']).doUpdateSet({
        name: (eb) => eb.ref('excluded.name'),
        backend: (eb) => eb.ref('excluded.backend'),
        last_at: (eb) => eb.ref('excluded.last_at'),
        pushes: added('pushes'),
        samples: added('samples'),
        refused: added('refused'),
        bytes_in: added('bytes_in'),
        bytes_out: added('bytes_out'),
      }),
    )
    .execute();
};

const writeNotes: Write = async (db, { notes }, numberOf) => {
  if (notes.length === 0) return;
  await db
    .insertInto('events')
    .values(
      notes.map(({ run, row }) => ({
        id: row.id,
        run: run === null ? null : numberOf(run),
        at: new Date(row.at),
        kind: row.kind,
        worker: row.worker === null ? null : cleanText(row.worker),
        text: cleanText(row.text),
      })),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
};

const writePoints: Write = async (db, { points }, numberOf) => {
  if (points.length === 0) return;
  await db
    .insertInto('points')
    .values(
      points.map(({ run, atMs, row }) => ({
        run: numberOf(run),
        seconds: 1,
        at: new Date(atMs),
        time_ms: row.timeMs,
        version: row.version,
        samples: row.samples,
        train_loss: row.trainLoss,
        validation_loss: row.validationLoss,
        accuracy: row.accuracy,
        lag_mean: row.lagMean,
        gap_mean: row.gapMean,
        updates_per_second: row.updatesPerSecond,
        samples_per_second: row.samplesPerSecond,
        workers: row.workers,
      })),
    )
    .onConflict((conflict) => conflict.columns(['run', 'seconds', 'at']).doNothing())
    .execute();
};
