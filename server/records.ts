// What is kept of runs for longer than a coordinator lives: runs, workers, events, curves. Writing never waits, never
// throws, and goes on while the database does not; reading is the API's. Implemented in server/adapters/records.

import type { RunId } from '../shared/ids.ts';
import type { Contributor, HistoryPoint, PastRun } from '../shared/protocol/records.ts';
import type { MetricPoint, NoteKind, NoteRow, RunSummary } from '../shared/protocol/snapshots.ts';

/** How the operator's events begin that strangers can bring about, by a token that is none. */
export const WRONG_TOKEN = 'a wrong operator’s token';
export const LOCKED_OUT = 'too many wrong operator’s tokens';

export const EVENTS_PAGE_MAX = 200;
export const HISTORY_POINTS_MAX = 5000;
export const CONTRIBUTORS_PAGE_MAX = 1000;
export const RUNS_PAGE_MAX = 1000;

/** A run by its id: the latest that had it, or the one of this number. */
export interface RunKey {
  readonly run: string;
  readonly number?: number;
}

export interface EventsQuery extends RunKey {
  /** Only those with a smaller id; null for the latest. */
  readonly before: number | null;
  /** From 1 to EVENTS_PAGE_MAX. */
  readonly limit: number;
  readonly kinds: readonly NoteKind[];
}

/** What a worker did since it was last recorded. */
export interface WorkerShare {
  readonly worker: string;
  readonly name: string;
  readonly backend: Contributor['backend'];
  readonly pushes: number;
  readonly samples: number;
  readonly refused: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface TimedPoint {
  /** Milliseconds since 1970, by the coordinator's wall clock; no two points of a run have the same. */
  readonly atMs: number;
  readonly point: MetricPoint;
}

export interface RecordsStatus {
  /** Since when nothing can be written, in milliseconds since 1970; null while all is well. */
  readonly failingSinceMs: number | null;
  /** Why, in words; null while all is well. */
  readonly error: string | null;
  /** Rows that wait to be written. */
  readonly buffered: number;
  /** Rows that were given up since the start. */
  readonly dropped: number;
}

/** The database cannot be asked now. The message is a sentence for people. */
export class RecordsUnavailable extends Error {}

export interface Records {
  /** To be said first of a run. `resumed`: it goes on with the records of the latest run of that id. */
  opened(run: RunId, resumed: boolean): void;
  run(run: RunId, summary: RunSummary): void;
  workers(run: RunId, shares: readonly WorkerShare[]): void;
  /** Of the coordinator itself when `run` is null: it is then an event of every run that there is. */
  note(run: RunId | null, note: NoteRow): void;
  points(run: RunId, points: readonly TimedPoint[]): void;

  /** Newest first. All reads: null when there was never such a run; reject with RecordsUnavailable. */
  events(query: EventsQuery): Promise<NoteRow[] | null>;
  /** Its whole life, in at most that many points. */
  history(key: RunKey, pointsMax: number): Promise<HistoryPoint[] | null>;
  /** Those with most samples first. */
  contributors(key: RunKey): Promise<Contributor[] | null>;
  /** The latest first. */
  runs(): Promise<PastRun[]>;

  status(): RecordsStatus;
  /** Writes what is left if that takes a moment only, and lets go of the database. */
  close(): Promise<void>;
}
