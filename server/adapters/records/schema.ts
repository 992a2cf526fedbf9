// The tables of the records, as the compiler knows them, and how they came to be.

import { Migrator, sql, type ColumnType, type Kysely, type Migration } from 'kysely';
import type { RunSummary } from '../../../shared/protocol/snapshots.ts';

export const SCHEMA = 'murmuration';

type Time = ColumnType<Date, Date, Date>;

export interface Tables {
  /** Each process that wrote here, and the number of its last batch: a batch is written once, though it is sent twice. */
  writers: { id: number; batch: number; at: Time };
  runs: {
    number: number;
    id: string;
    opened_at: Time;
    seen_at: Time;
    summary: ColumnType<RunSummary | null, string | null, string | null>;
  };
  workers: {
    run: number;
    worker: string;
    name: string;
    backend: string;
    first_at: Time;
    last_at: Time;
    pushes: number;
    samples: number;
    refused: number;
    bytes_in: number;
    bytes_out: number;
  };
  /** Of no run: of the coordinator itself. */
  events: { id: number; run: number | null; at: Time; kind: string; worker: string | null; text: string };
  points: {
    run: number;
    /** How much time a row stands for: one of the resolutions of tidy.ts. */
    seconds: number;
    at: Time;
    time_ms: number;
    version: number;
    samples: number;
    train_loss: number | null;
    validation_loss: number | null;
    accuracy: number | null;
    lag_mean: number | null;
    gap_mean: number | null;
    updates_per_second: number;
    samples_per_second: number;
    workers: number;
  };
}

/** By name, in the order of their names. One that was ever released is never changed. */
const MIGRATIONS: Record<string, Migration> = {
  '001-first': {
    async up(db: Kysely<unknown>) {
      const schema = db.schema.withSchema(SCHEMA);
      await schema
        .createTable('writers')
        .addColumn('id', 'bigint', (c) => c.primaryKey())
        .addColumn('batch', 'bigint', (c) => c.notNull())
        .addColumn('at', 'timestamptz', (c) => c.notNull())
        .execute();
      await schema
        .createTable('runs')
        .addColumn('number', 'bigint', (c) => c.primaryKey())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('opened_at', 'timestamptz', (c) => c.notNull())
        .addColumn('seen_at', 'timestamptz', (c) => c.notNull())
        .addColumn('summary', 'jsonb')
        .execute();
      await schema.createIndex('runs_by_id').on('runs').columns(['id', 'number']).execute();
      await createWorkers(db);
      await createEvents(db);
      await createPoints(db);
    },
  },
};

async function createWorkers(db: Kysely<unknown>): Promise<void> {
  let table = db.schema
    .withSchema(SCHEMA)
    .createTable('workers')
    .addColumn('run', 'bigint', (c) => c.notNull().references(`${SCHEMA}.runs.number`).onDelete('cascade'))
    .addColumn('worker', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('backend', 'text', (c) => c.notNull())
    .addColumn('first_at', 'timestamptz', (c) => c.notNull())
    .addColumn('last_at', 'timestamptz', (c) => c.notNull());
  for (const count of ['pushes', 'samples', 'refused', 'bytes_in', 'bytes_out'])
    table = table.addColumn(count, 'bigint', (c) => c.notNull());
  await table.addPrimaryKeyConstraint('workers_key', ['run', 'worker']).execute();
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema.withSchema(SCHEMA);
  await schema
    .createTable('events')
    .addColumn('id', 'bigint', (c) => c.primaryKey())
    .addColumn('run', 'bigint', (c) => c.references(`${SCHEMA}.runs.number`).onDelete('cascade'))
    .addColumn('at', 'timestamptz', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('worker', 'text')
    .addColumn('text', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('events_by_run').on('events').columns(['run', 'id']).execute();
}

async function createPoints(db: Kysely<unknown>): Promise<void> {
  let table = db.schema
    .withSchema(SCHEMA)
    .createTable('points')
    .addColumn('run', 'bigint', (c) => c.notNull().references(`${SCHEMA}.runs.number`).onDelete('cascade'))
    .addColumn('seconds', 'integer', (c) => c.notNull())
    .addColumn('at', 'timestamptz', (c) => c.notNull())
    .addColumn('time_ms', sql`double precision`, (c) => c.notNull())
    .addColumn('version', 'bigint', (c) => c.notNull())
    .addColumn('samples', 'bigint', (c) => c.notNull());
  for (const figure of ['train_loss', 'validation_loss', 'accuracy', 'lag_mean', 'gap_mean'])
    table = table.addColumn(figure, sql`double precision`);
  for (const figure of ['updates_per_second', 'samples_per_second', 'workers'])
    table = table.addColumn(figure, sql`double precision`, (c) => c.notNull());
  await table.addPrimaryKeyConstraint('points_key', ['run', 'seconds', 'at']).execute();
}

/** Brings the tables up to date, and makes them where there are none. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(MIGRATIONS) },
    migrationTableSchema: SCHEMA,
  });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error instanceof Error ? error : new Error(JSON.stringify(error));
}
