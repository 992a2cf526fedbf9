// Keeps the records: gathers what is to be written, writes it once a second, and goes on gathering while the database does
// not answer. See server/records.ts.

import { randomInt } from 'node:crypto';
import type { RunId } from '../../../shared/ids.ts';
import type { Contributor, HistoryPoint, PastRun } from '../../../shared/protocol/records.ts';
import type { NoteRow, RunSummary } from '../../../shared/protocol/snapshots.ts';
import {
  RecordsUnavailable,
  type EventsQuery,
  type Records,
  type RecordsStatus,
  type RunKey,
  type TimedPoint,
  type WorkerShare,
} from '../../records.ts';
import { BATCH_ROWS_MAX, Buffer, rowsOf, type Batch, type RunOpening } from './buffer.ts';
import { Connection } from './connection.ts';
import { inWords, isOfTheRows } from './faults.ts';
import type { OpenLink } from './link.ts';
import { findRun, largestId, readContributors, readEvents, readHistory, readRuns } from './read.ts';
import { tidy } from './tidy.ts';
import { writeBatch } from './write.ts';

const WRITE_EVERY_MS = 1000;
const TIDY_EVERY_MS = 60_000;
const MAINTAIN_EVERY_MS = 3_600_000;
const BACKOFF_MS_MAX = 30_000;
/** To leave, nobody waits longer for a database. */
const CLOSE_MS_MAX = 3000;
/** Questions under way at once: each waits for those before it. */
const READS_MAX = 16;

export interface KeeperOptions {
  readonly openLink: OpenLink;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** What notes are numbered with too. Told of the largest that the database has: a clock may have gone back. */
  readonly ids: { next(): number; atLeast(id: number): void };
  /** Told once when writing begins to fail, and once when it works again; and of what else an operator should know. */
  readonly onTrouble: (text: string) => void;
  readonly onMended: (text: string) => void;
  /** Told of every error, as the database said it: for the log. */
  readonly onError: (error: unknown) => void;
}

export class RecordsKeeper implements Records {
  readonly #options: KeeperOptions;
  readonly #buffer = new Buffer();
  readonly #openings = new Map<string, RunOpening>();
  /** Names this process in the database: drawn, so that no clock makes it another's. */
  readonly #writer = randomInt(2 ** 47);
  readonly #leaving = new AbortController();
  #connection: Connection | null = null;
  /** Sent, and not known to have arrived. */
  #flight: { batch: Batch; number: number } | null = null;
  #batches = 0;
  #failures = 0;
  #trouble: { sinceMs: number; error: string; dropped: number } | null = null;
  #tidyAtMs = 0;
  #maintainAtMs = 0;
  #reads = 0;
  #timer: NodeJS.Timeout | undefined;
  #turning: Promise<void> | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#maintainAtMs = options.wallMs() + MAINTAIN_EVERY_MS;
    this.#arm(0);
  }

  opened(run: RunId, resumed: boolean): void {
    this.#openings.set(run, { run, resumed, number: null, atMs: this.#options.wallMs() });
  }

  run(run: RunId, summary: RunSummary): void {
    this.#buffer.run({ ...this.#seen(run), row: summary });
  }

  workers(run: RunId, shares: readonly WorkerShare[]): void {
    for (const row of shares) this.#buffer.worker({ ...this.#seen(run), row });
    this.#hurry();
  }

  note(run: RunId | null, note: NoteRow): void {
    const seen = run === null ? { run, atMs: this.#options.wallMs() } : this.#seen(run);
    this.#buffer.note({ ...seen, row: note });
    this.#hurry();
  }

  points(run: RunId, points: readonly TimedPoint[]): void {
    for (const { atMs, point } of points) this.#buffer.point({ ...this.#seen(run), atMs, row: point });
    this.#hurry();
  }

  events = (query: EventsQuery): Promise<NoteRow[] | null> =>
    this.#ofRun(query, (connection, run) => readEvents(connection.db, run, query));
  history = (key: RunKey, pointsMax: number): Promise<HistoryPoint[] | null> =>
    this.#ofRun(key, (connection, run) => readHistory(connection.db, run, pointsMax));
  contributors = (key: RunKey): Promise<Contributor[] | null> =>
    this.#ofRun(key, (connection, run) => readContributors(connection.db, run));
  runs = (): Promise<PastRun[]> => this.#read((connection) => readRuns(connection.db));

  status(): RecordsStatus {
    const { sinceMs = null, error = null } = this.#trouble ?? {};
    const buffered = this.#buffer.size + (this.#flight ? rowsOf(this.#flight.batch) : 0);
    return { failingSinceMs: sinceMs, error, buffered, dropped: this.#buffer.dropped };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const late = setTimeout(() => {
      this.#leaving.abort(new Error('the coordinator is closing'));
      this.#connection?.link.destroy();
    }, CLOSE_MS_MAX);
    try {
      await this.#turning;
      if (this.#connection) await this.#flush(this.#connection);
      await this.#connection?.link.close();
    } catch {
      this.#connection?.link.destroy(); // what was not written is lost, as the process ends
    } finally {
      clearTimeout(late);
      this.#leaving.abort(new Error('the coordinator is closing'));
      clearTimeout(this.#timer);
      this.#connection = null;
    }
  }

  #seen(run: RunId): { run: string; atMs: number } {
    if (!this.#openings.has(run))
      throw new Error(`invariant violation: the run "${run}" was not opened in the records`);
    return { run, atMs: this.#options.wallMs() };
  }

  #arm(waitMs: number): void {
    if (this.#leaving.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#turning ??= this.#turn().finally(() => (this.#turning = null));
    }, waitMs);
    this.#timer.unref();
  }

  /** A full batch does not wait for its second. */
  #hurry(): void {
    if (this.#buffer.size >= BATCH_ROWS_MAX && !this.#turning && !this.#trouble && this.#connection) this.#arm(0);
  }

  async #turn(): Promise<void> {
    try {
      this.#connection ??= await this.#connect();
      await this.#flush(this.#connection);
      await this.#tidy(this.#connection);
      this.#works();
      this.#arm(WRITE_EVERY_MS);
    } catch (error) {
      this.#connection?.link.destroy();
      this.#connection = null;
      if (!this.#leaving.signal.aborted) this.#fails(error);
      this.#arm(Math.min(BACKOFF_MS_MAX, WRITE_EVERY_MS * 2 ** this.#failures++));
    }
  }

  async #connect(): Promise<Connection> {
    const connection = await Connection.open(this.#options.openLink, this.#leaving.signal);
    this.#options.ids.atLeast(await largestId(connection.db));
    if (connection.remark) {
      this.#options.onError(new Error(connection.remark.cause));
      this.#options.onTrouble(connection.remark.text);
    }
    return connection;
  }

  /** Writes all that waits, a batch at a time. One that may have arrived is sent again as it was. */
  async #flush(connection: Connection): Promise<void> {
    await this.#openRuns(connection);
    while (this.#flight || this.#buffer.size > 0) {
      const { batch, number } = (this.#flight ??= { batch: this.#buffer.take(), number: ++this.#batches });
      try {
        const mark = { writer: this.#writer, batch: number, atMs: this.#options.wallMs() };
        await writeBatch(connection.db, batch, { mark, numberOf: connection.numberOf });
      } catch (error) {
        if (!isOfTheRows(error)) throw error;
        this.#options.onError(error);
        this.#buffer.give(batch);
        connection.forgetRuns();
        this.#options.onTrouble(`The database refused ${rowsOf(batch)} rows of the records; they are lost.`);
        await this.#openRuns(connection);
      }
      this.#flight = null;
    }
  }

  async #openRuns(connection: Connection): Promise<void> {
    for (const opening of this.#openings.values()) {
      opening.number ??= this.#options.ids.next(); // once: an answer that was lost does not make it another run
      await connection.openRun({ ...opening, number: opening.number });
    }
  }

  async #tidy({ db, link }: Connection): Promise<void> {
    const nowMs = this.#options.wallMs();
    if (Math.abs(nowMs - this.#tidyAtMs) >= TIDY_EVERY_MS) {
      await tidy(db, nowMs);
      this.#tidyAtMs = nowMs;
    }
    if (nowMs < this.#maintainAtMs) return;
    await link.maintain();
    this.#maintainAtMs = nowMs + MAINTAIN_EVERY_MS;
  }

  #fails(error: unknown): void {
    this.#options.onError(error);
    const text = inWords(error);
    if (this.#trouble) return void (this.#trouble = { ...this.#trouble, error: text });
    this.#trouble = { sinceMs: this.#options.wallMs(), error: text, dropped: this.#buffer.dropped };
    this.#options.onTrouble(`The records cannot be written: ${text}. Training goes on; what is new is kept in memory.`);
  }

  #works(): void {
    this.#failures = 0;
    if (!this.#trouble) return;
    const { sinceMs, dropped } = this.#trouble;
    this.#trouble = null;
    const seconds = Math.round((this.#options.wallMs() - sinceMs) / 1000);
    const lost = this.#buffer.dropped - dropped;
    this.#options.onMended(`The records are written again, after ${seconds} s; ${lost} rows were given up.`);
  }

  #ofRun<T>(key: RunKey, read: (connection: Connection, run: number) => Promise<T>): Promise<T | null> {
    return this.#read(async (connection) => {
      const run = await findRun(connection.db, key);
      return run === null ? null : read(connection, run);
    });
  }

  async #read<T>(read: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    if (!connection) throw new RecordsUnavailable('The database of the records does not answer now: try again later.');
    if (this.#reads >= READS_MAX) throw new RecordsUnavailable('Too many ask for records at once: try again later.');
    this.#reads++;
    try {
      return await read(connection);
    } catch (error) {
      this.#options.onError(error);
      throw new RecordsUnavailable('The database of the records gave no answer: try again later.', { cause: error });
    } finally {
      this.#reads--;
    }
  }
}
