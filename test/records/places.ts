// Databases for the tests of the records: a PostgreSQL where there is one, PGlite in a folder, and a keeper with a clock that
// the test turns.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { RecordsKeeper } from '../../server/adapters/records/keeper.ts';
import type { OpenLink } from '../../server/adapters/records/link.ts';
import { pgliteIn } from '../../server/adapters/records/pglite.ts';
import { Ids } from '../../server/host/ids.ts';
import { START_MS } from './rows.ts';

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
export const NEVER = new AbortController().signal;

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 5000 });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** Whether there is a PostgreSQL that lets us make databases. */
export const postgresIsHere = await onServer('select 1').then(
  () => true,
  () => false,
);

export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** A database of the test's own. */
export async function postgresDatabase(): Promise<TestDatabase> {
  const name = `murmuration_test_${randomUUID().replaceAll('-', '')}`;
  await onServer(`create database ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database ${name} with (force)`) };
}

export interface TestFolder {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/** PGlite's files, empty: making them takes seconds, so that is done once, and kept for the next time. */
async function emptyPglite(): Promise<string> {
  const { version } = JSON.parse(await readFile('node_modules/@electric-sql/pglite/package.json', 'utf8')) as {
    version: string;
  };
  const kept = join('node_modules/.cache/murmuration', `pglite-${version}`);
  if (existsSync(kept)) return kept;
  const making = `${kept}-${randomUUID()}`;
  await mkdir(making, { recursive: true });
  const { link } = await pgliteIn(join(making, 'records'))(NEVER);
  await link.close();
  await rename(making, kept).catch(() => rm(making, { recursive: true })); // somebody else was first
  return kept;
}

/** A folder of the test's own with PGlite in `records`. */
export async function pgliteFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'murmuration-records-'));
  await cp(join(await emptyPglite(), 'records'), join(path, 'records'), { recursive: true });
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export interface Clock {
  /** Milliseconds since 1970. */
  nowMs: number;
}

export interface TestKeeper {
  readonly keeper: RecordsKeeper;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What was told of trouble, and of its end. */
  readonly told: string[];
  readonly errors: unknown[];
}

export { START_MS } from './rows.ts';

export function keeperOn(openLink: OpenLink, clock: Clock = { nowMs: START_MS }): TestKeeper {
  const ids = new Ids(() => clock.nowMs);
  const told: string[] = [];
  const errors: unknown[] = [];
  const keeper = new RecordsKeeper({
    openLink,
    wallMs: () => clock.nowMs,
    ids,
    onTrouble: (text) => told.push(text),
    onMended: (text) => told.push(text),
    onError: (error) => errors.push(error),
  });
  return { keeper, clock, ids, told, errors };
}
