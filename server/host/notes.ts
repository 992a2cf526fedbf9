// The latest of what happened to each run, in memory: for the dashboards, which do not wait for a database.

import type { RunId } from '../../shared/ids.ts';
import type { NoteRow } from '../../shared/protocol/snapshots.ts';
import type { Note } from '../door.ts';
import type { Ids } from './ids.ts';

/** More than a page shows; the records have the rest. */
export const NOTES_SHOWN = 50;

export class Notes {
  readonly #ids: Ids;
  readonly #wallMs: () => number;
  /** The oldest first; of no run under null. */
  readonly #latest = new Map<RunId | null, NoteRow[]>();

  constructor(ids: Ids, wallMs: () => number) {
    this.#ids = ids;
    this.#wallMs = wallMs;
  }

  /** Gives it its number and its time. */
  add({ run, kind, worker, text }: Note): NoteRow {
    const row: NoteRow = { id: this.#ids.next(), at: new Date(this.#wallMs()).toISOString(), kind, worker, text };
    const rows = this.#latest.get(run) ?? [];
    // The operator's actions have addresses in them: those who look on do not see them.
    if (kind !== 'operator') this.#latest.set(run, [...rows, row].slice(-NOTES_SHOWN));
    return row;
  }

  /** Of a run and of the coordinator itself, the newest first. */
  latest(run: RunId): readonly NoteRow[] {
    const rows = [...(this.#latest.get(run) ?? []), ...(this.#latest.get(null) ?? [])];
    return rows.sort((a, b) => b.id - a.id).slice(0, NOTES_SHOWN);
  }
}
