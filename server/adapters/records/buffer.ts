// What waits to be written, in bounded memory. Runs and workers are kept by their names and their latest; of notes and
// points, the oldest go when there is no more room: points first, as the curves only lose detail.

import type { NoteRow, RunSummary } from '../../../shared/protocol/snapshots.ts';
import type { TimedPoint, WorkerShare } from '../../records.ts';

/** A row is about 300 B: 3 MB, and the points of one run for almost three hours. */
export const BUFFER_ROWS_MAX = 10_000;
export const BATCH_ROWS_MAX = 500;

export interface RunOpening {
  readonly run: string;
  readonly resumed: boolean;
  /** Its number, if it is a new one; null before the database was asked what numbers are taken. */
  number: number | null;
  readonly atMs: number;
}

export interface Seen<T, R extends string | null = string> {
  readonly run: R;
  readonly atMs: number;
  readonly row: T;
}

export interface SeenWorker extends Seen<WorkerShare> {
  /** When the first of what is summed up here was seen. */
  readonly firstMs: number;
}

/** What one transaction writes. */
export interface Batch {
  readonly runs: readonly Seen<RunSummary>[];
  readonly workers: readonly SeenWorker[];
  readonly notes: readonly Seen<NoteRow, string | null>[];
  readonly points: readonly Seen<TimedPoint['point']>[];
}

export const rowsOf = ({ runs, workers, notes, points }: Batch): number =>
  runs.length + workers.length + notes.length + points.length;

const plus = (a: WorkerShare, b: WorkerShare): WorkerShare => ({
  ...b,
  pushes: a.pushes + b.pushes,
  samples: a.samples + b.samples,
  refused: a.refused + b.refused,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
});

export class Buffer {
  readonly #rowsMax: number;
  readonly #runs = new Map<string, Seen<RunSummary>>();
  readonly #workers = new Map<string, SeenWorker>();
  readonly #notes: Seen<NoteRow, string | null>[] = [];
  readonly #points: Seen<TimedPoint['point']>[] = [];
  #dropped = 0;

  constructor(rowsMax = BUFFER_ROWS_MAX) {
    this.#rowsMax = rowsMax;
  }

  get size(): number {
    return this.#runs.size + this.#workers.size + this.#notes.length + this.#points.length;
  }

  /** Rows that were given up. */
  get dropped(): number {
    return this.#dropped;
  }

  run(seen: Seen<RunSummary>): void {
    this.#runs.set(seen.run, seen);
  }

  worker(seen: Seen<WorkerShare>): void {
    const key = `${seen.run}/${seen.row.worker}`;
    const waiting = this.#workers.get(key);
    if (!waiting && !this.#room()) return void this.#dropped++;
    const row = waiting ? plus(waiting.row, seen.row) : seen.row;
    this.#workers.set(key, { ...seen, firstMs: waiting?.firstMs ?? seen.atMs, row });
  }

  note(seen: Seen<NoteRow, string | null>): void {
    if (!this.#room()) return void this.#dropped++;
    this.#notes.push(seen);
  }

  point(seen: Seen<TimedPoint['point']>): void {
    if (!this.#room()) return void this.#dropped++;
    this.#points.push(seen);
  }

  /** The next rows to be written, the oldest first. */
  take(): Batch {
    let room = BATCH_ROWS_MAX;
    const some = <T>(rows: T[]): T[] => {
      const taken = rows.splice(0, room);
      room -= taken.length;
      return taken;
    };
    const someOf = <T>(rows: Map<string, T>): T[] => {
      const taken = some([...rows.entries()]);
      for (const [key] of taken) rows.delete(key);
      return taken.map(([, row]) => row);
    };
    return {
      runs: someOf(this.#runs),
      notes: some(this.#notes),
      workers: someOf(this.#workers),
      points: some(this.#points),
    };
  }

  give(up: Batch): void {
    this.#dropped += rowsOf(up);
  }

  /** Makes room for one more; false when nothing that waits matters less. */
  #room(): boolean {
    if (this.size < this.#rowsMax) return true;
    const gone = this.#points.shift() ?? this.#notes.shift();
    if (!gone) return false;
    this.#dropped++;
    return true;
  }
}
