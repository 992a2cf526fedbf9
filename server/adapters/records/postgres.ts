// A link to a PostgreSQL server, by its address.

import { Socket } from 'node:net';
import pg from 'pg';
import type { Link, Opened } from './link.ts';

const CONNECT_MS_MAX = 5000;
/** PostgreSQL's numbers of its 8-byte integers and its sums: ours stay far below 2⁵³. */
const INT8 = 20;
const NUMERIC = 1700;

const parserOf = (oid: number, format?: 'text'): unknown =>
  oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format);
const types: pg.CustomTypesConfig = { getTypeParser: parserOf as typeof pg.types.getTypeParser };

/** Connects. Rejects when nobody answers, or the server does not let us in. */
export async function openPostgres(url: string, signal: AbortSignal): Promise<Opened> {
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    application_name: 'murmuration',
    keepAlive: true,
    stream: () => socket,
    types,
  });
  const giveUp = (): void => void socket.destroy();
  signal.addEventListener('abort', giveUp, { once: true });
  client.on('error', () => socket.destroy()); // what is asked from now on rejects
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  const link: Link = {
    query: async (sql, values) => {
      const { rows, rowCount } = await client.query<Record<string, unknown>>(sql, [...values]);
      return { rows, affected: rowCount ?? 0 };
    },
    maintain: () => Promise.resolve(),
    close: () => client.end(),
    destroy: () => socket.destroy(),
  };
  return { link, remark: null };
}
