// A folder with PGlite's files: made whole or not at all, and set aside when it cannot be read. Used by the records' thread.

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Remark } from './link.ts';
import { SCHEMA } from './schema.ts';

/** Its defaults are a server's: with 4 MB of buffers it holds half the memory, and our questions are as fast. */
const SETTINGS = ['shared_buffers=4MB', 'max_wal_size=32MB', 'min_wal_size=32MB', 'autovacuum=off'];
const INT8 = 20;
const NUMERIC = 1700;

const openAt = (folder: string): Promise<PGlite> =>
  PGlite.create({
    dataDir: folder,
    postgresqlconf: SETTINGS,
    parsers: { [INT8]: Number, [NUMERIC]: Number },
    onStdout: () => true,
    onStderr: () => true,
  });

export interface OpenFolder {
  readonly db: PGlite;
  readonly remark: Remark | null;
  /** The folder was made just now, which leaves twice the memory behind that the database needs. */
  readonly made: boolean;
  close(): Promise<void>;
}

/** One process at a time may have it: the state folder, which it lies in, is locked. */
export async function openFolder(folder: string): Promise<OpenFolder> {
  await mkdir(dirname(folder), { recursive: true });
  const mark = `${folder}.open`; // there for as long as it is open: found at the start, it was not closed
  const opened = await openOrReplace(folder, existsSync(mark));
  await writeFile(mark, '');
  const close = async (): Promise<void> => {
    await opened.db.close();
    await rm(mark, { force: true });
  };
  return { ...opened, close };
}

async function openOrReplace(folder: string, crashed: boolean): Promise<Omit<OpenFolder, 'close'>> {
  if (await isEmpty(folder)) {
    await rename(await makeBeside(folder), folder);
    return { db: await openAt(folder), remark: null, made: true };
  }
  let db: PGlite | undefined;
  try {
    if (!existsSync(join(folder, 'PG_VERSION'))) throw new Error('it holds something else'); // PGlite would write over it
    db = await openAt(folder);
    if (crashed) await readAll(db);
    return { db, remark: null, made: false };
  } catch (error) {
    await db?.close().catch(() => undefined);
    const cause = error instanceof Error ? error.message : String(error);
    const fresh = await makeBeside(folder); // not where the disk is the trouble: then all stays as it is
    const aside = `${folder}.broken-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    await rename(folder, aside);
    await rename(fresh, folder);
    const text = `The records in the state folder cannot be read: they are set aside as ${basename(aside)}, and new ones begin; the log says why.`;
    return { db: await openAt(folder), remark: { text, cause }, made: true };
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  return !existsSync(folder) || (await readdir(folder)).length === 0;
}

/** An empty database in a folder of its own, so that one that is half made is never taken for whole. */
async function makeBeside(folder: string): Promise<string> {
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  const db = await openAt(fresh);
  await db.close();
  return fresh;
}

/** Reads every row of ours: what a crash or a disk has damaged shows. */
async function readAll(db: PGlite): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    'select quote_ident(schemaname) || $$.$$ || quote_ident(tablename) as name from pg_tables where schemaname = $1',
    [SCHEMA],
  );
  for (const { name } of rows) await db.exec(`select count(t) from ${name} t`);
}
