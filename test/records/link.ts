// A database that answers as the test says, or not at all, without being one.

import type { Link, OpenLink } from '../../server/adapters/records/link.ts';

export type Mood = 'well' | 'hanging' | 'failing' | 'refusing' | 'rejecting-rows';

export interface FakeDatabase {
  mood: Mood;
  readonly open: OpenLink;
  /** Statements that were answered. */
  readonly statements: { sql: string; values: readonly unknown[] }[];
  /** Times that it was connected to, and that a connection was cut off. */
  connects: number;
  destroyed: number;
}

const failure = (code: string): Error => Object.assign(new Error('a secret address'), { code });

export function fakeDatabase(): FakeDatabase {
  const database: FakeDatabase = {
    mood: 'well',
    statements: [],
    connects: 0,
    destroyed: 0,
    open: (signal) => {
      database.connects++;
      if (database.mood === 'refusing') return Promise.reject(failure('ECONNREFUSED'));
      const cut = new AbortController();
      signal.addEventListener('abort', () => cut.abort());
      return Promise.resolve({ link: linkTo(database, cut), remark: null });
    },
  };
  return database;
}

function linkTo(database: FakeDatabase, cut: AbortController): Link {
  const hang = <T>(): Promise<T> =>
    new Promise((_resolve, reject) => cut.signal.addEventListener('abort', () => reject(failure('ECONNRESET'))));
  return {
    query: (sql, values) => {
      if (cut.signal.aborted) return Promise.reject(failure('ECONNRESET'));
      if (database.mood === 'refusing') return Promise.reject(failure('ECONNRESET'));
      if (database.mood === 'hanging') return hang();
      if (database.mood === 'failing') return Promise.reject(failure('57P03'));
      if (database.mood === 'rejecting-rows' && /insert into "murmuration"."events"/.test(sql))
        return Promise.reject(failure('22P05'));
      database.statements.push({ sql, values });
      return Promise.resolve(answerTo(sql));
    },
    maintain: () => Promise.resolve(),
    close: () => (database.mood === 'hanging' ? hang() : Promise.resolve()),
    destroy: () => {
      database.destroyed++;
      cut.abort();
    },
  };
}

/** Enough for the migrations to find nothing to do, and for a batch to be the first of its number. */
function answerTo(sql: string): { rows: Record<string, unknown>[]; affected: number } {
  if (/from "murmuration"."kysely_migration"$|select "name".*kysely_migration"/.test(sql))
    return { rows: [{ name: '001-first', timestamp: '2026-01-01T00:00:00Z' }], affected: 1 };
  if (/max\(id\)/.test(sql)) return { rows: [{ id: 0 }], affected: 1 };
  if (/insert into "murmuration"."writers"/.test(sql)) return { rows: [{ id: 1 }], affected: 1 };
  return { rows: [], affected: 1 };
}
