// The database, opened: tables up to date, and the numbers that our runs have in it.

import type { RunOpening } from './buffer.ts';
import { kyselyOver, type Db } from './dialect.ts';
import { impatient, type Link, type OpenLink, type Remark } from './link.ts';
import { migrate } from './schema.ts';
import { openRun } from './write.ts';

export class Connection {
  readonly db: Db;
  readonly link: Link;
  /** What is to be told of how it was opened. */
  readonly remark: Remark | null;
  readonly #numbers = new Map<string, number>();

  private constructor(link: Link, remark: Remark | null) {
    this.link = impatient(link);
    this.db = kyselyOver(this.link);
    this.remark = remark;
  }

  static async open(openLink: OpenLink, signal: AbortSignal): Promise<Connection> {
    const { link, remark } = await openLink(signal);
    const connection = new Connection(link, remark);
    try {
      await migrate(connection.db);
    } catch (error) {
      link.destroy();
      throw error;
    }
    return connection;
  }

  /** A run keeps its number for as long as the connection lasts: the next may be to another database. */
  async openRun(opening: RunOpening & { number: number }): Promise<void> {
    if (!this.#numbers.has(opening.run)) this.#numbers.set(opening.run, await openRun(this.db, opening));
  }

  forgetRuns(): void {
    this.#numbers.clear();
  }

  numberOf = (run: string): number => {
    const number = this.#numbers.get(run);
    if (number === undefined) throw new Error(`invariant violation: the records do not know the run "${run}"`);
    return number;
  };
}
