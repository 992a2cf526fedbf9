// The calls about the past: what happened, whole curves, everyone who ever took part, runs of old. From the database, which
// may be away: then 503.

import type { Request, RequestHandler, Response, Router } from 'express';
import { NOTE_KINDS, type NoteKind } from '../../../shared/protocol/snapshots.ts';
import { EVENTS_PAGE_MAX, HISTORY_POINTS_MAX, RecordsUnavailable, type Records, type RunKey } from '../../records.ts';
import type { Gate } from './gate.ts';
import type { Reads } from './rates.ts';

export interface RecordsApiOptions {
  /** Null when the coordinator keeps none. */
  readonly records: Records | null;
  readonly gate: Gate;
  readonly reads: Reads;
}

const EVENTS_DEFAULT = 50;
const POINTS_DEFAULT = 1000;
/** What the operator did has addresses in it: for the operator alone. */
const PUBLIC_KINDS = NOTE_KINDS.filter((kind) => kind !== 'operator');
const ID_CHARS_MAX = 40;

/** A query that cannot be read. The message is a sentence for people. */
class Wrong extends Error {}

function whole(request: Request, name: string, from: number, to: number): number | undefined {
  const text = request.query[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!(value >= from && value <= to)) throw new Wrong(`${name}: expected a whole number from ${from} to ${to}`);
  return value;
}

function kindsOf(request: Request): readonly NoteKind[] {
  const text = request.query['kind'];
  if (text === undefined) return PUBLIC_KINDS;
  if (text === 'all') return NOTE_KINDS;
  const names = typeof text === 'string' ? text.split(',') : [];
  const kinds = NOTE_KINDS.filter((kind) => names.includes(kind));
  if (kinds.length !== names.length || names.length === 0)
    throw new Wrong(`kind: expected all, or some of ${NOTE_KINDS.join(', ')}, with commas`);
  return kinds;
}

function keyOf(request: Request): RunKey {
  const run = String(request.params['id']).slice(0, ID_CHARS_MAX + 1);
  const number = whole(request, 'number', 1, Number.MAX_SAFE_INTEGER);
  return number === undefined ? { run } : { run, number };
}

export function addRecords(api: Router, { records, gate, reads }: RecordsApiOptions): void {
  if (!records) {
    const none: RequestHandler = (_request, response) =>
      void response.status(404).json({ error: 'this coordinator keeps no records' });
    for (const path of ['/runs/:id/events', '/runs/:id/history', '/runs/:id/contributors', '/history/runs'])
      api.get(path, none);
    return;
  }
  const answer = answerOf(reads);
  const operatorsToo: RequestHandler = (request, response, next) => {
    const { kind } = request.query;
    const asked = kind === 'all' || (typeof kind === 'string' && kind.split(',').includes('operator'));
    return asked ? gate.admin(request, response, next) : next();
  };
  api.get(
    '/runs/:id/events',
    operatorsToo,
    answer((request) => {
      const before = whole(request, 'before', 0, Number.MAX_SAFE_INTEGER) ?? null;
      const limit = whole(request, 'limit', 1, EVENTS_PAGE_MAX) ?? EVENTS_DEFAULT;
      return records.events({ ...keyOf(request), before, limit, kinds: kindsOf(request) });
    }),
  );
  api.get(
    '/runs/:id/history',
    answer((request) =>
      records.history(keyOf(request), whole(request, 'points', 1, HISTORY_POINTS_MAX) ?? POINTS_DEFAULT),
    ),
  );
  api.get('/runs/:id/contributors', answer((request) => records.contributors(keyOf(request)))); // prettier-ignore
  api.get('/history/runs', answer(() => records.runs())); // prettier-ignore
}

/** 400 for what is asked wrongly, 404 for a run that never was, 503 while the database is away. */
const answerOf =
  (reads: Reads) =>
  (read: (request: Request) => Promise<readonly unknown[] | null>): RequestHandler =>
  async (request: Request, response: Response) => {
    try {
      if (!(await reads.allows(request, response))) return;
      const found = await read(request);
      if (found === null) response.status(404).json({ error: 'there are no records of such a run' });
      else if (await reads.allows(request, response, found.length)) response.json(found);
    } catch (error) {
      if (error instanceof Wrong) response.status(400).json({ error: error.message });
      else if (error instanceof RecordsUnavailable) response.status(503).json({ error: error.message });
      else throw error;
    }
  };
