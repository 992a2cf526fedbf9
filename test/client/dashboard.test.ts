// The dashboard's state, the order of its workers, and its token.

import { describe, expect, it } from 'vitest';
import { nextOrder, refusedLines, refusedTotal, sortRows, workerName } from '../../client/dashboard/sort.ts';
import {
  commandDone,
  commandsFor,
  EMPTY_STATE,
  linkBack,
  methodCanChange,
  methodChanged,
  methodRefused,
  pageTitle,
  reuseRows,
  runChosen,
  runsArrived,
  snapshotArrived,
} from '../../client/dashboard/state.ts';
import { cleanToken, tokenOfFragment } from '../../client/dashboard/token.ts';
import type { DashboardSnapshot } from '../../shared/protocol/snapshots.ts';
import { aRun, aWorker } from './fixtures.ts';

const snapshot = (fields: Partial<DashboardSnapshot> = {}): DashboardSnapshot => ({
  run: aRun(),
  workers: [],
  metrics: { points: [], next: 0 },
  leases: { outstanding: 0, expired: 0, reissued: 0 },
  health: { status: 'ok', problems: [], uptimeSeconds: 0, eventLoopDelayMs: 0, checkpoints: {} },
  notes: [],
  ...fields,
});

describe('dashboard state', () => {
  const watching = { ...EMPTY_STATE, runId: 'fashion' };

  it('takes the snapshots of the watched run and passes over another’s', () => {
    const state = snapshotArrived(watching, snapshot({ workers: [aWorker('w1')] }));
    expect(state.workers).toHaveLength(1);
    expect(snapshotArrived(state, snapshot({ run: aRun({ id: 'other' }) }))).toBe(state);
  });

  it('keeps the row objects that say the same, whatever their order', () => {
    const held = [aWorker('w1'), aWorker('w2')];
    const fresh = reuseRows(held, [aWorker('w2'), aWorker('w1', { pushes: 1 })]);
    expect(fresh[0]).toBe(held[1]);
    expect(fresh[1]).not.toBe(held[0]);
    expect(fresh[1]?.pushes).toBe(1);
  });

  it('watches the first running run, stays with it, and moves on when it is gone', () => {
    const finished = aRun({ id: 'old', status: 'finished' });
    const state = runsArrived(EMPTY_STATE, [finished, aRun()]);
    expect(state.runId).toBe('fashion');
    expect(state.run?.id).toBe('fashion');
    expect(runsArrived(state, [aRun({ id: 'new' }), aRun({ status: 'paused' })]).runId).toBe('fashion');
    expect(runsArrived(state, [finished]).runId).toBe('old');
    expect(runsArrived(state, []).run).toBeNull();
  });

  it('forgets what failed for want of a connection, when there is one again, and no more', () => {
    const failed = { ...watching, link: 'lost', command: { state: 'failed', message: 'no answer' } } as const;
    expect(linkBack(failed)).toMatchObject({ link: 'live', command: { state: 'idle' } });
    const sending = { ...watching, command: { state: 'sending', command: 'pause' } } as const;
    expect(linkBack(sending).command).toBe(sending.command);
  });

  it('forgets the workers of the run that was left', () => {
    const state = snapshotArrived(watching, snapshot({ workers: [aWorker('w1')] }));
    expect(runChosen(state, 'other').workers).toEqual([]);
    expect(runChosen(state, 'fashion')).toBe(state);
  });

  it('shows the answer to a command at once, unless another run is watched by then', () => {
    const sending = { ...watching, run: aRun(), command: { state: 'sending', command: 'pause' } as const };
    expect(commandDone(sending, aRun({ status: 'paused' })).run?.status).toBe('paused');
    const other = commandDone(sending, aRun({ id: 'other', status: 'paused' }));
    expect([other.run?.status, other.command.state]).toEqual(['running', 'idle']);
  });

  it('offers only the commands that a run can take', () => {
    expect(commandsFor(aRun())).toEqual(['pause', 'stop']);
    expect(commandsFor(aRun({ status: 'paused' }))).toEqual(['resume', 'stop']);
    expect(commandsFor(aRun({ status: 'finished' }))).toEqual([]);
  });

  it('closes the method dialog when the change is taken, and says in it why it was not', () => {
    const sending = { ...watching, run: aRun(), methodDialog: { state: 'sending' } as const };
    const changed = methodChanged(sending, aRun({ method: 'dana-ga' }));
    expect([changed.run?.method, changed.methodDialog.state]).toEqual(['dana-ga', 'closed']);
    expect(methodRefused(sending, 'too large').methodDialog).toEqual({ state: 'editing', message: 'too large' });
  });

  it('lets no late answer about the method reach another run’s dialog', () => {
    const other = runChosen({ ...watching, run: aRun(), methodDialog: { state: 'sending' } }, 'other');
    expect(other.methodDialog.state).toBe('closed');
    expect(methodRefused(other, 'too large')).toBe(other);
    const editing = { ...other, methodDialog: { state: 'editing', message: null } } as const;
    expect(methodChanged(editing, aRun({ method: 'dana-ga' }))).toBe(editing);
  });

  it('offers another method only to a run that goes on', () => {
    const statuses = ['running', 'paused', 'finished', 'stopped'] as const;
    expect(statuses.filter((status) => methodCanChange(aRun({ status })))).toEqual(['running', 'paused']);
  });

  it('names the tab by progress, status or the lost link', () => {
    const half = { ...watching, link: 'live', run: aRun({ samples: 5000 }) } as const;
    expect(pageTitle(half)).toBe('50% · Fashion · Murmuration');
    expect(pageTitle({ ...half, link: 'lost' })).toBe('Offline · Fashion · Murmuration');
    expect(pageTitle({ ...half, run: aRun({ status: 'paused' }) })).toBe('Paused · Fashion · Murmuration');
  });
});

describe('worker order', () => {
  const rows = [
    aWorker('w1', { name: 'tab 10', loss: 0.5 }),
    aWorker('w2', { name: 'tab 9', loss: null }),
    aWorker('w3', { name: 'Tab 1', loss: 0.1 }),
  ];
  const ids = (column: 'name' | 'loss' | 'pushes', descending: boolean): string[] =>
    sortRows(rows, { column, descending }).map((row) => row.id);

  it('reads numbers in names as numbers', () => {
    expect(ids('name', false)).toEqual(['w3', 'w2', 'w1']);
  });

  it('puts what is not known last, both ways', () => {
    expect(ids('loss', false)).toEqual(['w3', 'w1', 'w2']);
    expect(ids('loss', true)).toEqual(['w1', 'w3', 'w2']);
  });

  it('leaves equal rows in the order of their ids', () => {
    expect(ids('pushes', true)).toEqual(['w1', 'w2', 'w3']);
  });

  it('does not change what it was given', () => {
    sortRows(rows, { column: 'loss', descending: true });
    expect(rows.map((row) => row.id)).toEqual(['w1', 'w2', 'w3']);
  });

  it('begins numbers with the largest and words with A, and turns round on a second click', () => {
    const byLoss = nextOrder({ column: 'name', descending: false }, 'loss');
    expect(byLoss).toEqual({ column: 'loss', descending: true });
    expect(nextOrder(byLoss, 'loss').descending).toBe(false);
    expect(nextOrder(byLoss, 'name').descending).toBe(false);
  });

  it('sums and lists refusals, the most frequent first', () => {
    const row = aWorker('w1', { refused: { 'not-finite': 1, 'late-round': 7, 'all-zero': 0 } });
    expect(refusedTotal(row)).toBe(8);
    expect(refusedLines(row)).toEqual(['late round: 7', 'not finite: 1']);
  });

  it('calls a worker without a nickname by its id', () => {
    expect([workerName(aWorker('w1')), workerName(aWorker('w1', { name: 'ada' }))]).toEqual(['w1', 'ada']);
  });
});

describe('admin token', () => {
  it('is read from the fragment', () => {
    expect(tokenOfFragment('#token=abc-123')).toBe('abc-123');
    expect(tokenOfFragment('#other=1&token=x')).toBe('x');
    expect(tokenOfFragment('#main')).toBeNull();
    expect(tokenOfFragment('')).toBeNull();
  });

  it('is trimmed, and refused when a header could not carry it', () => {
    expect(cleanToken(' abc\n')).toBe('abc');
    expect(cleanToken('a b')).toBeNull();
    expect(cleanToken('naïve')).toBeNull();
    expect(cleanToken('')).toBeNull();
    expect(cleanToken('x'.repeat(257))).toBeNull();
  });
});
