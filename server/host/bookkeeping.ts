// What is remembered of what happened: the latest in memory, all of it in the records, if any are kept.

import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RunId } from '../../shared/ids.ts';
import type { Problem } from '../../shared/protocol/snapshots.ts';
import { keepRecords } from '../adapters/records.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { Door, Note } from '../door.ts';
import type { Records } from '../records.ts';
import { Attendance } from './attendance.ts';
import { Chronicle } from './chronicle.ts';
import type { Ends } from './ends.ts';
import { Ids } from './ids.ts';
import { Notes } from './notes.ts';

export interface BookkeepingOptions {
  /** `postgres://…`; null for the state folder; absent for no records. */
  readonly databaseUrl?: string | null | undefined;
  readonly stateDir?: string | undefined;
  readonly log: Logger;
  /** Not called before this returns. */
  readonly door: () => Pick<Door, 'metrics' | 'summary' | 'workers' | 'turned' | 'note'>;
}

export interface Bookkeeping {
  readonly records: Records | null;
  readonly notes: Notes;
  /** To be told of a run before anything happens to it, */
  opened(run: RunId, resumed: boolean): void;
  /** and once it is open. */
  follow(run: RunId): void;
  note(note: Note): void;
  /** Of every event, when it has been handled. */
  handled(event: CoordinatorEvent): void;
  problems(): Problem[];
}

export function keepBooks(options: BookkeepingOptions, ends: Ends): Bookkeeping {
  const ids = new Ids(Date.now);
  const notes = new Notes(ids, Date.now);
  const records = openRecords(options, ids);
  const chronicle = records && new Chronicle({ records, wallMs: Date.now, door: laterDoor(options.door) });
  const attendance = new Attendance({
    door: { workers: (run) => options.door().workers(run), turned: () => options.door().turned() },
    note: (note) => options.door().note(note),
    nowMs: () => performance.now(),
  });
  if (records) ends.add(() => records.close());
  if (chronicle) ends.add(() => chronicle.close());
  ends.add(() => attendance.close());
  return {
    records,
    notes,
    opened: (run, resumed) => records?.opened(run, resumed),
    follow: (run) => {
      chronicle?.follow(run);
      attendance.follow(run);
    },
    handled: (event) => attendance.handled(event),
    note: (note) => {
      const row = notes.add(note);
      records?.note(note.run, row);
    },
    problems: () => (records ? problemsOf(records) : []),
  };
}

const laterDoor = (door: BookkeepingOptions['door']): Pick<Door, 'metrics' | 'summary' | 'workers'> => ({
  metrics: (run, since) => door().metrics(run, since),
  summary: (run) => door().summary(run),
  workers: (run) => door().workers(run),
});

function openRecords({ databaseUrl, stateDir, door, log }: BookkeepingOptions, ids: Ids): Records | null {
  if (databaseUrl === undefined || (databaseUrl === null && stateDir === undefined)) return null;
  return keepRecords(
    { databaseUrl, folder: join(stateDir ?? '.', 'records') },
    {
      wallMs: Date.now,
      ids,
      onError: (error) => log.warn({ err: error }, 'the database of the records'),
      onTrouble: (text) => door().note({ run: null, kind: 'trouble', worker: null, text }),
      onMended: (text) => door().note({ run: null, kind: 'mended', worker: null, text }),
    },
  );
}

function problemsOf(records: Records): Problem[] {
  const { failingSinceMs, error, buffered, dropped } = records.status();
  if (failingSinceMs === null) return [];
  const rows = `${buffered} rows wait in memory, ${dropped} were given up`;
  const text = `the records cannot be written (${error}): ${rows}; see to the database, or to the room in the state folder`;
  return [{ kind: 'records', text, forMs: Math.max(0, Date.now() - failingSinceMs) }];
}
