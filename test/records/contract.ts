// What the records promise, whichever database keeps them: run against each.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunId } from '../../shared/ids.ts';
import { NOTE_KINDS, type NoteRow } from '../../shared/protocol/snapshots.ts';
import { Connection } from '../../server/adapters/records/connection.ts';
import type { OpenLink } from '../../server/adapters/records/link.ts';
import { readContributors, readEvents } from '../../server/adapters/records/read.ts';
import { tidy } from '../../server/adapters/records/tidy.ts';
import { openRun, writeBatch } from '../../server/adapters/records/write.ts';
import { LOCKED_OUT, WRONG_TOKEN, type EventsQuery } from '../../server/records.ts';
import { keeperOn, NEVER, START_MS, type TestKeeper } from './places.ts';
import { note, point, share, summary } from './rows.ts';

const newRun = (): RunId => `run-${randomUUID()}` as RunId;
const latest = (run: string, extra: Partial<EventsQuery> = {}): EventsQuery => ({
  run,
  before: null,
  limit: 200,
  kinds: NOTE_KINDS,
  ...extra,
});
const HOUR_MS = 3_600_000;
/** Ten of nobody in particular, ten of the operator, and then a flood of what strangers can bring about. */
const EVENTS: readonly Partial<NoteRow>[] = [
  ...Array<Partial<NoteRow>>(10).fill({ kind: 'run' }),
  ...Array<Partial<NoteRow>>(10).fill({ kind: 'operator', text: 'paused, from 10.0.0.1' }),
  ...Array.from({ length: 40 }, (_, i): Partial<NoteRow> => {
    const kind = (['joined', 'banned', 'operator', 'operator'] as const)[i % 4]!;
    return i % 4 < 2 ? { kind } : { kind, text: `${i % 4 === 2 ? WRONG_TOKEN : LOCKED_OUT}, from 10.0.0.2` };
  }),
];

/** Waits until all of it is in the database. */
const written = async ({ keeper, told }: TestKeeper): Promise<void> => {
  await expect.poll(() => keeper.status().buffered, { timeout: 50_000 }).toBe(0);
  expect(told).toEqual([]);
};

export function recordsContract(database: () => Promise<{ openLink: OpenLink; end: () => Promise<void> }>): void {
  let place: Awaited<ReturnType<typeof database>>;
  let test: TestKeeper;
  let run: RunId;
  beforeAll(async () => {
    place = await database();
    test = keeperOn(place.openLink);
  }, 180_000);
  afterAll(async () => {
    await test.keeper.close();
    await place.end();
  });
  const opened = (resumed = false): RunId => {
    run = newRun();
    test.keeper.opened(run, resumed);
    return run;
  };

  describe('events', () => {
    it('[M1] come back newest first, a page at a time, those of the kinds that are asked for', async () => {
      opened();
      for (let i = 1; i <= 9; i++)
        test.keeper.note(run, note(test.ids.next(), START_MS + i, { kind: i % 3 === 0 ? 'operator' : 'left' }));
      await written(test);
      const all = (await test.keeper.events(latest(run)))!;
      expect(all.map(({ at }) => Date.parse(at) - START_MS)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
      const second = await test.keeper.events(latest(run, { before: all[3]!.id, limit: 2 }));
      expect(second).toEqual(all.slice(4, 6));
      const operators = await test.keeper.events(latest(run, { kinds: ['operator', 'banned'] }));
      expect(operators!.map(({ kind }) => kind)).toEqual(['operator', 'operator', 'operator']);
      expect(await test.keeper.events(latest(run, { kinds: [] }))).toEqual([]);
    });

    it('[M5] keep what strangers write as it is, but for what no text can hold', async () => {
      opened();
      const hostile = [`'); drop table murmuration.events; --`, '$1 %s {{x}} \\', '🐦'.repeat(40), 'ü\u202e "'];
      for (const text of hostile) test.keeper.note(run, note(test.ids.next(), START_MS, { text, worker: text }));
      test.keeper.note(run, note(test.ids.next(), START_MS, { text: 'a\0b\ud800c', worker: 'x\0' }));
      test.keeper.note(run, note(test.ids.next(), START_MS, { text: 'long '.repeat(10_000) }));
      test.keeper.workers(run, [share('w1', 64, `Robert'); drop table murmuration.workers; --\0`)]);
      test.keeper.run(run, summary(run, { name: 'zero \0 and half \udc00' }));
      await written(test);
      const rows = (await test.keeper.events(latest(run)))!.reverse();
      expect(rows.slice(0, 4).map(({ text, worker }) => [text, worker])).toEqual(hostile.map((text) => [text, text]));
      expect(rows[4]).toMatchObject({ text: 'ab\ufffdc', worker: 'x' });
      expect(rows[5]!.text).toHaveLength(2000);
      const [worker] = (await test.keeper.contributors({ run }))!;
      expect(worker!.name).toBe(`Robert'); drop table murmuration.workers; --`);
      const past = (await test.keeper.runs()).find(({ id }) => id === run)!;
      expect(past.summary!.name).toBe('zero  and half \ufffd');
    });

    it('[M6] have times that say what they mean in every time zone', async () => {
      opened();
      const at = '2026-10-25T00:30:00.123Z';
      test.keeper.note(run, note(test.ids.next(), Date.parse(at)));
      await written(test);
      expect((await test.keeper.events(latest(run)))![0]!.at).toBe(at);
    });
  });

  describe('workers', () => {
    it('[M2] are summed up over all that they did, most samples first', async () => {
      opened();
      test.keeper.workers(run, [share('a', 64), share('b', 200)]);
      await written(test);
      test.clock.nowMs += 5000;
      test.keeper.workers(run, [share('a', 64), { ...share('a', 100, 'renamed'), refused: 3 }]);
      await written(test);
      expect(await test.keeper.contributors({ run })).toMatchObject([
        { id: 'a', name: 'renamed', samples: 228, pushes: 3, refused: 3, bytesIn: 2280, bytesOut: 60 },
        { id: 'b', samples: 200, pushes: 1 },
      ]);
      const [a] = (await test.keeper.contributors({ run }))!;
      expect(Date.parse(a!.lastAt) - Date.parse(a!.firstAt)).toBe(5000);
    });
  });

  describe('curves', () => {
    it('[M3] come back whole, or in as few points as are asked for', async () => {
      opened();
      const points = Array.from({ length: 1200 }, (_, i) =>
        point(test.clock.nowMs + 1000 * i, { version: i, trainLoss: i % 2, validationLoss: i === 7 ? 0.5 : null }),
      );
      test.keeper.points(run, points);
      await written(test);
      const whole = (await test.keeper.history({ run }, 5000))!;
      expect(whole.map(({ version }) => version)).toEqual(points.map((_, i) => i));
      expect(whole[0]).toEqual({ at: new Date(points[0]!.atMs).toISOString(), ...points[0]!.point });
      const few = (await test.keeper.history({ run }, 12))!;
      expect(few).toHaveLength(12);
      expect(few.at(-1)!.version).toBe(1199);
      expect(few[0]).toMatchObject({ version: 99, trainLoss: 0.5, validationLoss: 0.5, accuracy: null });
      expect((await test.keeper.history({ run }, 1))!.map(({ version }) => version)).toEqual([1199]);
    });

    it('[M3] get coarser with age: a second, ten of them, a minute', async () => {
      opened();
      const now = Math.ceil(test.clock.nowMs / 60_000) * 60_000; // stretches of whole minutes
      const kept = (from: number, count: number) => {
        const name = opened();
        const rows = Array.from({ length: count }, (_, i) => point(from + 1000 * i, { version: i, trainLoss: i % 2 }));
        test.keeper.points(name, rows);
        return async () => (await test.keeper.history({ run: name }, 5000))!;
      };
      const old = kept(now - 25 * HOUR_MS, 600);
      const older = kept(now - 2 * HOUR_MS, 300);
      const young = kept(now, 300);
      await written(test);
      test.clock.nowMs = now + 60_000; // the next look after the tables is due
      await expect.poll(async () => (await old()).length, { timeout: 50_000 }).toBe(10);
      expect((await old()).map(({ version }) => version)).toEqual([59, 119, 179, 239, 299, 359, 419, 479, 539, 599]);
      expect((await older()).map(({ version }) => version)).toEqual(Array.from({ length: 30 }, (_, i) => 10 * i + 9));
      expect((await young()).map(({ version }) => version)).toEqual(Array.from({ length: 300 }, (_, i) => i));
      expect((await old())[0]).toMatchObject({
        at: new Date(now - 25 * HOUR_MS + 59_000).toISOString(),
        trainLoss: 0.5,
      });
    });
  });

  describe('runs', () => {
    it('[M4] go on under their number when they are resumed, and are others when they begin anew', async () => {
      opened();
      test.keeper.note(run, note(test.ids.next(), START_MS, { text: 'before' }));
      test.keeper.run(run, summary(run, { version: 1 }));
      await written(test);
      const again = async (resumed: boolean, text: string): Promise<void> => {
        await test.keeper.close();
        test = keeperOn(place.openLink, { nowMs: START_MS - HOUR_MS }); // its clock has gone back
        test.keeper.opened(run, resumed);
        test.keeper.workers(run, [share('w', 1)]);
        await written(test);
        test.keeper.note(run, note(test.ids.next(), START_MS, { text }));
        await written(test);
      };
      await again(true, 'resumed');
      expect((await test.keeper.events(latest(run)))!.map(({ text }) => text)).toEqual(['resumed', 'before']);
      await again(false, 'anew');
      expect((await test.keeper.events(latest(run)))!.map(({ text }) => text)).toEqual(['anew']);
      const mine = (await test.keeper.runs()).filter(({ id }) => id === run);
      expect(mine.map(({ summary, contributors }) => [summary?.version, contributors])).toEqual([
        [undefined, 1],
        [1, 1],
      ]);
      expect(mine[0]!.number).toBeGreaterThan(mine[1]!.number);
      const before = (await test.keeper.events(latest(run, { number: mine[1]!.number })))!;
      expect(before.map(({ text }) => text)).toEqual(['resumed', 'before']);
    }, 180_000);

    it('[M4] that never were have no records, which is not the same as none yet', async () => {
      opened(true);
      test.keeper.workers(run, []);
      test.keeper.note(run, note(test.ids.next(), START_MS));
      await written(test);
      expect(await test.keeper.history({ run }, 10)).toEqual([]);
      expect(await test.keeper.history({ run: 'never' }, 10)).toBeNull();
      expect(await test.keeper.events(latest('never'))).toBeNull();
      expect(await test.keeper.contributors({ run, number: 1 })).toBeNull();
    });
  });

  describe('the tables', () => {
    it('[M7] [M8] take a batch once, though it is sent twice, and keep only so much, of strangers apart', async () => {
      await test.keeper.close();
      const { db, link } = await Connection.open(place.openLink, NEVER);
      const columns = (await db.introspection.getTables()).flatMap((table) => table.columns);
      const times = columns.filter(({ name }) => /^(at|.*_at)$/.test(name)).map(({ dataType }) => dataType);
      expect(times).toEqual(Array<string>(7).fill('timestamptz'));
      const number = await openRun(db, { run: newRun(), resumed: false, number: test.ids.next(), atMs: START_MS });
      const seen = <T>(row: T) => ({ run: 'r', atMs: START_MS, row });
      const batch = {
        runs: [],
        workers: [share('a', 64), share('b', 1), share('c', 65)].map((row) => ({ ...seen(row), firstMs: START_MS })),
        notes: EVENTS.map((extra, i) => seen(note(test.ids.next(), START_MS + i, extra))),
        points: [],
      };
      const mark = { writer: test.ids.next(), batch: 1, atMs: START_MS };
      for (let time = 0; time < 2; time++) await writeBatch(db, batch, { mark, numberOf: () => number });
      expect((await readContributors(db, number)).map(({ samples }) => samples)).toEqual([65, 64, 1]);
      await tidy(db, START_MS, { events: 7, workers: 2, runs: 1000 });
      expect((await readContributors(db, number)).map(({ id }) => id)).toEqual(['c', 'a']);
      const kept = await readEvents(db, number, latest('r'));
      expect(kept.map(({ at }) => Date.parse(at) - START_MS)).toEqual([
        ...[59, 58, 57, 56, 55, 54, 53], // of strangers
        ...[19, 18, 17, 16, 15, 14, 13], // of the operator
        ...[9, 8, 7, 6, 5, 4, 3],
      ]);
      await link.close();
    }, 120_000);
  });
}
