// Kysely over one link: PostgreSQL's own compiler, and a driver that lends the one connection to one asker at a time.

import {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely';
import type { Link } from './link.ts';
import { SCHEMA, type Tables } from './schema.ts';

class LinkConnection implements DatabaseConnection {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, affected } = await this.#link.query(sql, parameters);
    return { rows: rows as R[], numAffectedRows: BigInt(affected) };
  }

  streamQuery(): never {
    throw new Error('invariant violation: records are not streamed');
  }
}

class LinkDriver implements Driver {
  readonly #connection: LinkConnection;
  /** Resolves when the last who asked for the connection has given it back. */
  #free: Promise<void> = Promise.resolve();
  #giveBack: () => void = () => undefined;

  constructor(link: Link) {
    this.#connection = new LinkConnection(link);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#free;
    let giveBack = (): void => undefined;
    this.#free = new Promise((resolve) => (giveBack = resolve));
    await before;
    this.#giveBack = giveBack;
    return this.#connection;
  }

  releaseConnection(): Promise<void> {
    this.#giveBack();
    return Promise.resolve();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  /** One that cannot be rolled back is over with its connection; what is told is why it failed. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback')).catch(() => undefined);
  }

  init = (): Promise<void> => Promise.resolve();
  destroy = (): Promise<void> => Promise.resolve();
}

export type Db = Kysely<Tables>;

/** All names are in our schema: other tables of the same database are left alone. */
export function kyselyOver(link: Link): Db {
  return new Kysely<Tables>({
    dialect: {
      createDriver: () => new LinkDriver(link),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    },
  }).withSchema(SCHEMA);
}
