// A worker's standing and the coordinator's health, in words, and the dialog that bans.

import { describe, expect, it } from 'vitest';
import {
  checkpointText,
  healthTitle,
  isSevere,
  problemSince,
  problemTitle,
} from '../../client/dashboard/health-words.ts';
import { nextOrder, sortRows } from '../../client/dashboard/sort.ts';
import {
  checksText,
  cosineText,
  influenceText,
  isSuspect,
  levelTitle,
  standingLines,
} from '../../client/dashboard/standing.ts';
import { EMPTY_STATE, runChosen, verdictDone, verdictRefused } from '../../client/dashboard/state.ts';
import type { Health, Problem } from '../../shared/protocol/snapshots.ts';
import { aStanding, aWorker } from './fixtures.ts';

const problem = (kind: Problem['kind']): Problem => ({ kind, text: 'No space.', forMs: 65_000 });
const health = (fields: Partial<Health> = {}): Health => ({
  ...{ status: 'ok', problems: [], uptimeSeconds: 5, eventLoopDelayMs: 0, checkpoints: {} },
  ...fields,
});

describe('[U2] a worker’s standing', () => {
  it('is unknown where nothing is known yet, never 0', () => {
    const fresh = aStanding({ level: 'newcomer' });
    expect([cosineText(fresh.cosine), influenceText(fresh.influence), checksText(fresh)]).toEqual(['–', '–', '–']);
    expect(levelTitle(fresh.level)).toBe('Newcomer');
    expect(standingLines({ standing: fresh })).toHaveLength(2);
  });

  it('is told in figures, and in sentences', () => {
    const known = aStanding({ cosine: -0.375, influence: 1.26, checked: 14, failed: 3, clipped: 1, keyed: true });
    expect([cosineText(known.cosine), influenceText(known.influence), checksText(known)]).toEqual([
      ...['−0.38', '1.3×', '14 · 3'],
    ]);
    const text = standingLines({ standing: known }).join('\n');
    expect(text).toMatch(/gradient on held-out samples: −0.38/);
    expect(text).toMatch(/1 push scaled down/);
    expect(text).toMatch(/14 leases computed again: 3 with another result/);
  });

  it('names the reason of a ban first', () => {
    const banned = aStanding({ level: 'banned', banned: 'three checks failed' });
    expect(standingLines({ standing: banned })[0]).toBe('Banned: three checks failed');
    expect([isSuspect(banned), isSuspect(aStanding({ failed: 1 })), isSuspect(aStanding())]).toEqual([
      ...[true, true, false],
    ]);
  });

  it('sorts the table: the banned first, unknown scores last, failed checks before many made', () => {
    const rows = [
      aWorker('a', { standing: aStanding({ cosine: 0.4, checked: 90 }) }),
      aWorker('b', { standing: aStanding({ level: 'banned', checked: 3, failed: 1 }) }),
      aWorker('c', { standing: aStanding({ level: 'newcomer', cosine: -0.2 }) }),
    ];
    const by = (column: 'standing' | 'cosine' | 'checks', descending: boolean): string =>
      sortRows(rows, { column, descending })
        .map(({ id }) => id)
        .join('');
    expect(by('standing', false)).toBe('bca');
    expect([by('cosine', false), by('cosine', true)]).toEqual(['cab', 'acb']);
    expect(by('checks', true)).toBe('bac');
    expect(nextOrder({ column: 'name', descending: false }, 'standing').descending).toBe(false);
  });
});

describe('[U2] the dialog that bans', () => {
  const sending = {
    ...EMPTY_STATE,
    runId: 'fashion',
    workers: [aWorker('w1'), aWorker('w2')],
    verdictDialog: { state: 'sending', verdict: 'ban', worker: 'w1' } as const,
  };

  it('closes with the answer, whose rows are shown at once', () => {
    const done = verdictDone(sending, [aWorker('w1', { standing: aStanding({ level: 'banned', banned: 'noise' }) })]);
    expect(done.verdictDialog.state).toBe('closed');
    expect(done.workers.map(({ standing }) => standing.level)).toEqual(['banned', 'trusted']);
  });

  it('says why it was not done, and is gone with its run', () => {
    expect(verdictRefused(sending, 'No such worker.').verdictDialog).toMatchObject({
      ...{ state: 'asking', worker: 'w1', message: 'No such worker.' },
    });
    const other = runChosen(sending, 'other');
    expect(other.verdictDialog.state).toBe('closed');
    expect(verdictRefused(other, 'No such worker.')).toBe(other);
    expect(verdictDone(other, [])).toBe(other);
  });
});

describe('[U3] the coordinator’s health', () => {
  it('is quiet while all is well, and counts what is not', () => {
    expect(healthTitle(health())).toBe('All well');
    expect(healthTitle(health({ problems: [problem('records')] }))).toBe('1 problem');
    expect(healthTitle(health({ problems: [problem('records'), problem('overload')] }))).toBe('2 problems');
  });

  it('says since when, and marks what may be lost', () => {
    expect(problemSince(problem('records'))).toBe('For 1 min 05 s.');
    expect([isSevere(problem('checkpoint')), isSevere(problem('overload'))]).toEqual([true, false]);
    expect(problemTitle(problem('checkpoint'))).toMatch(/not being saved/);
  });

  it('tells the last checkpoint’s version and age, also that there is none yet, and nothing where none are kept', () => {
    const checkpoints = { fashion: { version: 1234, ageMs: 12_000 }, digits: null };
    expect(checkpointText(health({ checkpoints }), 'fashion')).toBe('Saved 12 s ago, version 1,234');
    expect(checkpointText(health({ checkpoints }), 'digits')).toBe('Not saved yet');
    expect(checkpointText(health({ checkpoints }), 'other')).toBeNull();
  });
});
