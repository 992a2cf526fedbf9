// The records' keeper while its database is well, hangs, fails, or is not there: by a fake one, on a clock that the test turns.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunId } from '../../shared/ids.ts';
import { BUFFER_ROWS_MAX, Buffer as RowBuffer } from '../../server/adapters/records/buffer.ts';
import { RecordsUnavailable } from '../../server/records.ts';
import { fakeDatabase, type FakeDatabase } from './link.ts';
import { keeperOn, START_MS, type TestKeeper } from './places.ts';
import { note, point, share, summary } from './rows.ts';

const RUN = 'r' as RunId;
let database: FakeDatabase;
let test: TestKeeper;
const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 500) {
    test.clock.nowMs += 500;
    await vi.advanceTimersByTimeAsync(500);
  }
};
const inserted = (table: string): FakeDatabase['statements'] =>
  database.statements.filter(({ sql }) => sql.startsWith(`insert into "murmuration"."${table}"`));
const rows = (table: string, columns: number): number =>
  inserted(table).reduce((sum, { values }) => sum + values.length / columns, 0);

beforeEach(async () => {
  vi.useFakeTimers();
  database = fakeDatabase();
  test = keeperOn(database.open);
  test.keeper.opened(RUN, false);
  await pass(1000);
});
afterEach(() => vi.useRealTimers());

describe('the keeper', () => {
  it('[M9] writes once a second, and a full batch at once', async () => {
    expect(test.told).toEqual([]);
    for (let i = 0; i < 20; i++) test.keeper.note(RUN, note(i, START_MS));
    await vi.advanceTimersByTimeAsync(0);
    expect(inserted('events')).toHaveLength(0);
    await pass(1000);
    expect(inserted('events')).toHaveLength(1);
    test.keeper.points(
      RUN,
      Array.from({ length: 500 }, (_, i) => point(START_MS + i)),
    );
    await vi.advanceTimersByTimeAsync(1);
    expect(inserted('points')).toHaveLength(1);
    expect(test.keeper.status()).toEqual({ failingSinceMs: null, error: null, buffered: 0, dropped: 0 });
  });

  it.each(['hanging', 'failing', 'refusing'] as const)(
    '[M9] [M10] loses nothing in a minute of a database that is %s, and says so once, and once that it is over',
    async (mood) => {
      const from = test.clock.nowMs;
      database.mood = mood;
      for (let second = 0; second < 60; second++) {
        test.keeper.points(RUN, [point(from + 1000 * second)]);
        test.keeper.note(RUN, note(second, from));
        await pass(1000);
      }
      const { failingSinceMs, buffered, dropped } = test.keeper.status();
      expect(failingSinceMs! - from).toBeLessThanOrEqual(17_000);
      expect([buffered, dropped]).toEqual([120, 0]);
      expect(test.told).toEqual([expect.stringMatching(/^The records cannot be written: .* Training goes on/)]);
      expect(test.told[0]).not.toContain('secret');
      await expect(test.keeper.runs()).rejects.toThrow(RecordsUnavailable);
      database.mood = 'well';
      await pass(60_000);
      expect(test.keeper.status()).toMatchObject({ failingSinceMs: null, buffered: 0, dropped: 0 });
      expect(test.told).toHaveLength(2);
      expect(test.told[1]).toMatch(/written again, after \d+ s; 0 rows were given up/);
      expect([rows('points', 14), rows('events', 6)]).toEqual([60, 60]);
    },
  );

  it('[M10] waits longer and longer for a database that is not there, at most 30 s', async () => {
    const nowhere = fakeDatabase();
    nowhere.mood = 'refusing';
    const away = keeperOn(nowhere.open, test.clock);
    await pass(300_000); // 1 + 2 + 4 + 8 + 16 s, and then every 30
    expect(nowhere.connects).toBeGreaterThanOrEqual(13);
    expect(nowhere.connects).toBeLessThanOrEqual(15);
    expect(away.told).toEqual([expect.stringContaining('there is no database at its address')]);
  });

  it('[M10] gives up a batch that the database refuses for its rows, and goes on', async () => {
    database.mood = 'rejecting-rows';
    test.keeper.note(RUN, note(1, START_MS));
    await pass(2000);
    expect(test.keeper.status()).toMatchObject({ failingSinceMs: null, buffered: 0, dropped: 1 });
    expect(test.told).toEqual(['The database refused 1 rows of the records; they are lost.']);
  });

  it('[M9] ends within three seconds, though the database hangs', async () => {
    database.mood = 'hanging';
    test.keeper.run(RUN, summary('r'));
    let closed = false;
    const closing = test.keeper.close().then(() => (closed = true));
    await pass(3500);
    expect(closed).toBe(true);
    await closing;
    expect(database.destroyed).toBeGreaterThan(0);
  });

  it('[M9] writes what is left when it ends', async () => {
    test.keeper.note(RUN, note(1, START_MS));
    await test.keeper.close();
    expect(inserted('events')).toHaveLength(1);
  });
});

describe('the buffer', () => {
  const seen = <T>(row: T) => ({ run: 'r', atMs: START_MS, row });

  it('[M11] gives up the oldest points first, then the oldest notes, and counts them', () => {
    const buffer = new RowBuffer(10);
    for (let i = 0; i < 8; i++) buffer.point(seen(point(START_MS, { version: i }).point));
    for (let i = 0; i < 9; i++) buffer.note(seen(note(i, START_MS)));
    buffer.worker(seen(share('a', 1)));
    expect([buffer.size, buffer.dropped]).toEqual([10, 8]);
    buffer.worker(seen(share('b', 1)));
    buffer.worker(seen(share('b', 2)));
    expect([buffer.size, buffer.dropped]).toEqual([10, 9]);
    const { points, notes, workers } = buffer.take();
    expect(points).toEqual([]);
    expect(notes.map(({ row }) => row.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(workers.map(({ row }) => [row.worker, row.samples])).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    expect(buffer.size).toBe(0);
  });

  it('[M11] has bounds for everything that strangers can make more of', () => {
    const buffer = new RowBuffer();
    for (let i = 0; i < BUFFER_ROWS_MAX + 500; i++) buffer.worker(seen(share(`w${i}`, 1)));
    for (let i = 0; i < 500; i++) buffer.note(seen(note(i, START_MS)));
    expect([buffer.size, buffer.dropped]).toEqual([BUFFER_ROWS_MAX, 1000]);
  });
});
