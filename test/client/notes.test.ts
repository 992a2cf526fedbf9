// The dashboard's events: what snapshots bring, what was asked for, how long ago it was.

import { describe, expect, it } from 'vitest';
import {
  agoText,
  groupChosen,
  kindsOf,
  NO_NOTES,
  NOTE_GROUPS,
  NOTES_MAX,
  notesArrived,
  olderArrived,
  operatorArrived,
  oldestOf,
  shownNotes,
  type Notes,
} from '../../client/dashboard/notes.ts';
import { placesOf } from '../../client/dashboard/plot.ts';
import { History } from '../../client/page/history.ts';
import { rolledBackText, rolledBackVersion } from '../../shared/protocol/rolled-back.ts';
import { NOTE_KINDS, type NoteKind, type NoteRow } from '../../shared/protocol/snapshots.ts';
import { aPoint } from '../points.ts';

const note = (id: number, kind: NoteKind = 'joined'): NoteRow => ({
  ...{ id, kind, worker: null, text: '' },
  at: new Date(1000 * id).toISOString(),
});
/** Newest first, as the coordinator has them. */
const notes = (from: number, to: number): NoteRow[] => Array.from({ length: from - to + 1 }, (_, i) => note(from - i));
const ids = (held: Notes): number[] => shownNotes(held).map(({ id }) => id);

describe('[U4] events', () => {
  it('come newest first, each once, however often snapshots repeat them', () => {
    const held = notesArrived(notesArrived(NO_NOTES, notes(3, 1)), notes(5, 2));
    expect(ids(held)).toEqual([5, 4, 3, 2, 1]);
    expect(notesArrived(held, notes(5, 3))).toBe(held);
    expect(notesArrived(held, [])).toBe(held);
  });

  it('begin anew when some may be missing between', () => {
    const held = olderArrived(notesArrived(NO_NOTES, notes(12, 10)), notes(9, 8), { group: 'everything', limit: 50 });
    expect(held.more).toBe('none');
    const after = notesArrived(held, notes(40, 30));
    expect(ids(after)).toEqual(notes(40, 30).map(({ id }) => id));
    expect(after.more).toBe('perhaps');
  });

  it('go on with older ones as they are asked for, until there are none', () => {
    const live = notesArrived(NO_NOTES, notes(12, 10));
    expect([oldestOf(NO_NOTES), oldestOf(live)]).toEqual([null, 10]);
    const page = olderArrived(live, notes(9, 8), { group: 'everything', limit: 2 });
    expect([ids(page), page.more, oldestOf(page)]).toEqual([[12, 11, 10, 9, 8], 'perhaps', 8]);
    const end = olderArrived(page, [note(8), note(7)], { group: 'everything', limit: 50 });
    expect([ids(end), end.more]).toEqual([[12, 11, 10, 9, 8, 7], 'none']);
  });

  it('are shown of the chosen kinds alone; an answer to a former choice is passed over', () => {
    const live = notesArrived(NO_NOTES, [note(3, 'banned'), note(2), note(1, 'trouble')]);
    const safety = groupChosen(live, 'safety');
    expect(ids(safety)).toEqual([3]);
    expect(olderArrived(safety, notes(0, 0), { group: 'everything', limit: 50 })).toBe(safety);
    expect(ids(groupChosen(safety, 'trouble'))).toEqual([1]);
  });

  it('have what the operator did among them, in its place, though snapshots do not bring it', () => {
    const done = [note(11, 'operator'), note(4, 'operator')];
    const held = operatorArrived(notesArrived(NO_NOTES, notes(12, 12)), done);
    expect(operatorArrived(held, done)).toBe(held);
    expect(ids(held)).toEqual([12]);
    const live = operatorArrived(notesArrived(NO_NOTES, [note(12), note(10)]), done);
    expect(ids(live)).toEqual([12, 11, 10]);
    const page = [note(9), note(4, 'operator'), note(3)];
    expect(ids(olderArrived(live, page, { group: 'everything', limit: 50 }))).toEqual([12, 11, 10, 9, 4, 3]);
    const own = groupChosen(live, 'operator');
    expect([ids(own), oldestOf(own)]).toEqual([[11, 4], 4]);
  });

  it('have every kind in one of the groups', () => {
    const grouped = NOTE_GROUPS.flatMap((group) => kindsOf(group) ?? []);
    expect(grouped.toSorted()).toEqual(NOTE_KINDS.toSorted());
  });

  it('are held in bounded memory', () => {
    let held = NO_NOTES;
    for (let last = 10; last < 3 * NOTES_MAX; last += 10) held = notesArrived(held, notes(last, last - 10));
    expect(ids(held).length).toBeLessThanOrEqual(NOTES_MAX);
    expect(ids(held)[0]).toBe(3 * NOTES_MAX - 10);
  });

  it.each([
    [-3_600_000, 'just now'],
    [4000, 'just now'],
    [59_000, '59 s ago'],
    [60_000, '1 min ago'],
    [7_199_000, '1 h ago'],
    [200_000_000, '2 d ago'],
  ])('after %i ms are of %s', (ms, expected) => {
    expect(agoText('2026-01-01T00:00:00.000Z', Date.parse('2026-01-01T00:00:00.000Z') + ms)).toBe(expected);
  });
});

describe('[U5] a roll-back', () => {
  it('tells in its note which version it began', () => {
    const text = rolledBackText('the validation loss of 3.1 is more than 1.5 times the best', 800, 760);
    expect(rolledBackVersion(text)).toBe(801);
    expect(rolledBackVersion('the validation loss was too high')).toBeNull();
  });

  it('is marked where the curves have that version, on whatever axis', () => {
    const curves = new History();
    const points = [1, 2, 3].map((n) => aPoint({ timeMs: 1000 * n, version: 100 * n, samples: 10 * n }));
    curves.merge({ points, next: 3 });
    const placed = (mark: number, place: 'timeMs' | 'version' | 'samples'): number[] =>
      placesOf({ curves, place, marks: () => [mark] });
    expect([placed(101, 'timeMs'), placed(200, 'version'), placed(101, 'samples')]).toEqual([[2000], [200], [20]]);
    expect(placed(301, 'timeMs')).toEqual([]);
    expect(placesOf({ curves, place: 'timeMs', marks: () => [150, 151] })).toEqual([2000]);
  });
});
