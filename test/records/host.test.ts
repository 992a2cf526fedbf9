// What the host tells the records: shares of what workers did, points once each, the latest notes, numbers that only grow.

import { describe, expect, it } from 'vitest';
import type { Note } from '../../server/door.ts';
import { Attendance } from '../../server/host/attendance.ts';
import { Chronicle } from '../../server/host/chronicle.ts';
import { Ids } from '../../server/host/ids.ts';
import { Notes, NOTES_SHOWN } from '../../server/host/notes.ts';
import type { TimedPoint, WorkerShare } from '../../server/records.ts';
import { asRunId, asWorkerId } from '../../shared/ids.ts';
import type { Device } from '../../shared/protocol/messages.ts';
import type { MetricPoint, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { point, START_MS, summary } from './rows.ts';

const RUN = asRunId('r');

/** A run as its door shows it. */
function chronicled() {
  const told: { shares: WorkerShare[]; points: TimedPoint[]; summaries: number } = { shares: [], points: [], summaries: 0 }; // prettier-ignore
  const shown: { rows: WorkerRow[]; points: MetricPoint[] } = { rows: [], points: [] };
  const clock = { nowMs: START_MS };
  const chronicle = new Chronicle({
    wallMs: () => clock.nowMs,
    records: {
      run: () => void told.summaries++,
      workers: (_run, shares) => void told.shares.push(...shares),
      points: (_run, points) => void told.points.push(...points),
    },
    door: {
      workers: () => shown.rows,
      summary: () => summary('r'),
      metrics: (_run, since) => ({ points: shown.points.slice(since), next: shown.points.length }),
    },
  });
  return { chronicle, told, shown, clock };
}

const row = (id: string, samples: number): WorkerRow =>
  ({
    ...{ id, name: id, backend: 'wasm', pushes: samples / 64, samples, refused: { stale: 1, 'all-zero': 2 } },
    ...{ bytesIn: samples, bytesOut: 10 + samples },
  }) as unknown as WorkerRow;
const looks = (chronicle: Chronicle, count: number): void => {
  for (let look = 0; look < count; look++) chronicle.look();
};

describe('the chronicle', () => {
  it('[M2] tells what each worker did since it was told last, and nothing of those that did nothing', () => {
    const { chronicle, told, shown } = chronicled();
    shown.rows = [row('restored', 640)];
    chronicle.follow(RUN);
    shown.rows = [row('restored', 640), row('new', 64)];
    looks(chronicle, 10);
    expect(told.shares).toMatchObject([{ worker: 'new', samples: 64, pushes: 1, refused: 3, bytesIn: 64, bytesOut: 74 }]); // prettier-ignore
    shown.rows = [row('restored', 704), row('new', 64)];
    looks(chronicle, 10);
    shown.rows = [row('new', 128)];
    looks(chronicle, 10);
    shown.rows = [row('new', 128), row('restored', 64)]; // forgotten, and back as a new one
    looks(chronicle, 9);
    expect(told.shares.slice(1).map(({ worker, samples }) => [worker, samples])).toEqual([
      ['restored', 64],
      ['new', 64],
    ]);
    chronicle.close();
    expect(told.shares.at(-1)).toMatchObject({ worker: 'restored', samples: 64 });
    expect(told.summaries).toBe(5);
  });

  it('[M3] tells each point once, none of those that were there before, at times that only grow', () => {
    const { chronicle, told, shown, clock } = chronicled();
    const at = (timeMs: number): MetricPoint => point(0, { timeMs }).point;
    shown.points = [at(1000), at(2000)];
    chronicle.follow(RUN);
    chronicle.look();
    expect(told.points).toEqual([]);
    clock.nowMs += 3000;
    shown.points.push(at(3000), at(4000), at(4000));
    chronicle.look();
    chronicle.look();
    clock.nowMs -= 3_600_000; // somebody set the clock back
    shown.points.push(at(5000));
    chronicle.close();
    const times = told.points.map(({ atMs }) => atMs - START_MS);
    expect(times).toEqual([2000, 3000, 3001, 3002]);
    expect(told.points.map(({ point: { timeMs } }) => timeMs)).toEqual([3000, 4000, 4000, 5000]);
  });
});

describe('the attendance', () => {
  const attended = () => {
    const notes: Note[] = [];
    const shown: { rows: WorkerRow[]; turned: Record<string, number>; nowMs: number } = { rows: [], turned: {}, nowMs: 0 }; // prettier-ignore
    const attendance = new Attendance({
      door: { workers: () => shown.rows, turned: () => shown.turned },
      note: (note) => void notes.push(note),
      nowMs: () => shown.nowMs,
    });
    attendance.follow(RUN);
    attendance.close();
    const taken = (): string[] => notes.splice(0).map(({ kind, worker, text }) => `${kind} ${worker}: ${text}`);
    return { attendance, shown, taken };
  };
  const device: Device = { backend: 'wasm', adapter: '', fallback: false, tried: [] };
  const join = (worker: string) =>
    ({ type: 'join', run: RUN, worker: asWorkerId(worker), name: 'Ada', device }) as const;
  const row = (id: string, state: WorkerRow['state'], banned: string | null = null): WorkerRow =>
    ({ id, name: 'Ada', state, standing: { banned } }) as WorkerRow;

  it('[M1] notes once who comes and who goes, also those that only fall silent', () => {
    const { attendance, shown, taken } = attended();
    attendance.handled(join('w1'));
    attendance.handled(join('w1')); // its connection broke meanwhile
    expect(taken()).toEqual(['joined w1: Ada joined, on wasm']);
    attendance.handled({ type: 'leave', run: RUN, worker: asWorkerId('w1') });
    attendance.handled({ type: 'leave', run: RUN, worker: asWorkerId('w2') });
    expect(taken()).toEqual(['left w1: it said goodbye']);
    attendance.handled(join('w3'));
    shown.rows = [row('w1', 'gone'), row('w3', 'gone')];
    attendance.look();
    attendance.look();
    shown.rows = [row('w1', 'gone'), row('w3', 'training')];
    attendance.look();
    expect(taken()).toEqual([
      'joined w3: Ada joined, on wasm',
      'left w3: it was silent for too long',
      'joined w3: Ada is back',
    ]);
    shown.rows = [row('w1', 'gone'), row('w3', 'gone', 'it lied')];
    attendance.look();
    expect(taken()).toEqual([]); // its ban is an event already
  });

  it('[M1] sums up refused hellos, and notes a measurement a minute and the last one', () => {
    const { attendance, shown, taken } = attended();
    shown.turned = { 'malformed-hello': 2, 'run-ended': 1 };
    attendance.look();
    shown.turned = { 'malformed-hello': 5, 'run-ended': 1 };
    attendance.look();
    attendance.look();
    expect(taken()).toEqual([
      'refused null: turned away in 10 s: 2 malformed-hello, 1 run-ended',
      'refused null: turned away in 10 s: 3 malformed-hello',
    ]);
    const evaluated = (split: 'validation' | 'test', version: number): void =>
      attendance.handled({ type: 'evaluated', run: RUN, version, split, loss: 0.5, accuracy: 0.875 });
    evaluated('validation', 1);
    shown.nowMs = 59_000;
    evaluated('validation', 2);
    evaluated('test', 2);
    expect(taken()).toEqual([
      'measured null: validation at version 1: loss 0.5000, accuracy 87.50 %',
      'measured null: test at version 2: loss 0.5000, accuracy 87.50 %',
    ]);
  });
});

describe('notes', () => {
  it('[M14] show the latest of a run and of the coordinator, newest first, but nothing of the operator', () => {
    const notes = new Notes(new Ids(() => START_MS), () => START_MS);
    const add = (text: string, kind: 'run' | 'operator' = 'run', run: typeof RUN | null = RUN) =>
      notes.add({ run, kind, worker: null, text });
    for (let i = 0; i < 100; i++) add(`${i}`);
    add('secret', 'operator');
    add('all', 'run', null);
    add('other', 'run', asRunId('other'));
    const shown = notes.latest(RUN);
    expect(shown).toHaveLength(NOTES_SHOWN);
    expect(shown.slice(0, 3).map(({ text }) => text)).toEqual(['all', '99', '98']);
    expect(shown[0]!.at).toBe(new Date(START_MS).toISOString());
    expect(notes.latest(asRunId('other')).map(({ text }) => text)).toEqual(['other', 'all']);
  });
});

describe('numbers', () => {
  it('[M14] only grow, over restarts and though the clock goes back', () => {
    let nowMs = START_MS;
    const ids = new Ids(() => nowMs);
    const first = [ids.next(), ids.next()];
    nowMs -= 3_600_000;
    const again = new Ids(() => nowMs);
    again.atLeast(first[1]!);
    const all = [...first, ids.next(), again.next()];
    expect(all[1]).toBe(all[0]! + 1);
    expect(all[2]).toBeGreaterThan(all[1]!);
    expect(all[3]).toBeGreaterThan(all[1]!);
    expect(all.every(Number.isSafeInteger)).toBe(true);
  });
});
