// Where the records are kept: in the PostgreSQL of an address, or in a folder.

import type { Records } from '../records.ts';
import { RecordsKeeper, type KeeperOptions } from './records/keeper.ts';
import { pgliteIn } from './records/pglite.ts';
import { openPostgres } from './records/postgres.ts';

export interface RecordsPlace {
  /** `postgres://…`; null for PGlite in `folder`. */
  readonly databaseUrl: string | null;
  readonly folder: string;
}

/** Begins at once, and opens the database meanwhile. */
export function keepRecords(place: RecordsPlace, options: Omit<KeeperOptions, 'openLink'>): Records {
  const { databaseUrl, folder } = place;
  const openLink = databaseUrl === null ? pgliteIn(folder) : (signal: AbortSignal) => openPostgres(databaseUrl, signal);
  return new RecordsKeeper({ ...options, openLink });
}
