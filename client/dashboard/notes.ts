// What happened, as the dashboard holds it: the latest notes as snapshots bring them, and older ones as they were asked for.
// Pure.

import type { NoteKind, NoteRow } from '../../shared/protocol/snapshots.ts';

export const NOTE_GROUPS = ['everything', 'trouble', 'safety', 'workers', 'training', 'operator'] as const;
export type NoteGroup = (typeof NOTE_GROUPS)[number];

const KINDS: Record<Exclude<NoteGroup, 'everything'>, readonly NoteKind[]> = {
  trouble: ['trouble', 'mended'],
  safety: ['banned', 'unbanned', 'rolled-back', 'refused'],
  workers: ['joined', 'left'],
  training: ['run', 'method', 'measured'],
  operator: ['operator'],
};

const GROUP_TITLES: Record<NoteGroup, string> = {
  everything: 'Everything',
  trouble: 'Trouble',
  safety: 'Safety',
  workers: 'Workers',
  training: 'Training',
  operator: 'Operator',
};

const KIND_TITLES: Record<NoteKind, string> = {
  run: 'Run',
  method: 'Method',
  measured: 'Measured',
  joined: 'Joined',
  left: 'Left',
  refused: 'Refused',
  banned: 'Banned',
  unbanned: 'Let back in',
  'rolled-back': 'Rolled back',
  operator: 'Operator',
  trouble: 'Trouble',
  mended: 'Mended',
};

export const groupTitle = (group: NoteGroup): string => GROUP_TITLES[group];
export const kindTitle = (kind: NoteKind): string => KIND_TITLES[kind];

/** Null: of every kind. */
export const kindsOf = (group: NoteGroup): readonly NoteKind[] | null => (group === 'everything' ? null : KINDS[group]);

/** As many as are held however long the page is open: more than anybody scrolls through. */
export const NOTES_MAX = 2000;

export interface Notes {
  readonly group: NoteGroup;
  /** Newest first: what snapshots have brought, without a gap. */
  readonly live: readonly NoteRow[];
  /** Newest first: the latest of what the operator did. Snapshots are for everybody, and do not bring it. */
  readonly operator: readonly NoteRow[];
  /** Newest first: of the group, all before the rest. */
  readonly older: readonly NoteRow[];
  /** Whether there are older ones still, as far as is known. */
  readonly more: 'perhaps' | 'loading' | 'none' | 'failed';
}

export const NO_NOTES: Notes = { group: 'everything', live: [], operator: [], older: [], more: 'perhaps' };

/** A snapshot's notes, newest first, as the coordinator has them now. */
export function notesArrived(held: Notes, latest: readonly NoteRow[]): Notes {
  const newest = held.live[0]?.id ?? -Infinity;
  if ((latest[0]?.id ?? -Infinity) <= newest) return held;
  const fresh = latest.filter(({ id }) => id > newest);
  // All of them are new: there may have been others between, while the page was not connected.
  if (fresh.length === latest.length && held.live.length > 0) return { ...anew(held), live: latest };
  const live = [...fresh, ...held.live];
  if (live.length + held.older.length <= NOTES_MAX) return { ...held, live };
  return { ...anew(held), live: live.slice(0, NOTES_MAX / 2) };
}

/** Without what was asked for. */
const anew = (held: Notes): Notes => ({ ...held, older: [], more: 'perhaps' });

/** What the operator did, newest first, as the records have it now. */
export const operatorArrived = (held: Notes, latest: readonly NoteRow[]): Notes =>
  latest[0]?.id === held.operator[0]?.id ? held : { ...held, operator: latest };

/** Other kinds: what was asked for of the former is of no use. */
export const groupChosen = (held: Notes, group: NoteGroup): Notes => ({ ...anew(held), group });

/** A page of what came before `before`, in answer to a question that was asked of `group`. */
export function olderArrived(held: Notes, page: readonly NoteRow[], asked: { group: NoteGroup; limit: number }): Notes {
  if (asked.group !== held.group) return held;
  const oldest = oldestOf(held);
  const older = [...held.older, ...page.filter(({ id }) => oldest === null || id < oldest)];
  const full = held.live.length + older.length >= NOTES_MAX;
  return { ...held, older, more: page.length < asked.limit || full ? 'none' : 'perhaps' };
}

/** What the next page comes before; null: the latest is wanted. */
export function oldestOf({ group, live, operator, older }: Notes): number | null {
  return (older.at(-1) ?? (group === 'operator' ? operator : live).at(-1))?.id ?? null;
}

/** Newest first, of the chosen kinds. */
export function shownNotes(held: Notes): readonly NoteRow[] {
  const { group, live, operator, older, more } = held;
  const kinds = kindsOf(group);
  if (kinds !== null) return unique([...live, ...operator].filter(({ kind }) => kinds.includes(kind)).concat(older));
  // What the operator did before the rest of what is held comes with the rest of that time.
  const from = more === 'none' ? -Infinity : (oldestOf(held) ?? -Infinity);
  return unique([...live, ...older, ...operator.filter(({ id }) => id >= from)]);
}

const unique = (notes: readonly NoteRow[]): NoteRow[] =>
  [...new Map(notes.map((note) => [note.id, note])).values()].sort((a, b) => b.id - a.id);

/** "just now", "45 s ago", "3 min ago", "2 h ago", "5 d ago": in one unit. A clock that runs behind sees no future. */
export function agoText(at: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(at)) / 1000);
  if (!(seconds >= 5)) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
