// When a run is written down: by time, by versions, on demand, and after failures.

import { describe, expect, it } from 'vitest';
import { Cadence } from '../../server/adapters/checkpoints/cadence.ts';

const every = { everyMs: 60_000, everyVersions: 200 };
const at = (nowMs: number, version: number) => ({ nowMs, version });

describe('the cadence of checkpoints', () => {
  it('[C3] one is due after so much time or so many versions, whichever is first, a quarter of a second earlier', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.saved(at(1000, 10), 1000);
    expect(cadence.due(at(60_749, 11))).toBe(false);
    expect(cadence.due(at(60_750, 11))).toBe(true);
  });

  it('[C3] by versions it is earlier by those of a quarter of a second, as many as there were in one of late', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.saved(at(0, 0), 0);
    for (let ms = 0; ms < 50_000; ms += 250) expect(cadence.due(at(ms, 0))).toBe(false); // nothing happens
    const dueAt = Array.from({ length: 200 }, (_, version) => version).find((version) => {
      return cadence.due(at(50_000 + 5 * version, version)); // then 200 a second
    })!;
    expect(dueAt).toBeGreaterThan(140);
    expect(dueAt).toBeLessThanOrEqual(150);
  });

  it('[C3] intervals go from beginning to beginning, earlier by twice what the slowest of the last took', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.begun();
    cadence.saved(at(10_000, 200), 12_000);
    const due = (nowMs: number): boolean => cadence.due(at(nowMs, 201));
    expect([due(65_999), due(66_000)]).toEqual([false, true]);
    for (let i = 0; i < 7; i++) cadence.saved(at(10_000, 200), 10_001);
    expect(due(66_000)).toBe(true); // it is remembered
    cadence.saved(at(10_000, 200), 10_001);
    expect([due(66_000), due(69_749), due(69_750)]).toEqual([false, false, true]);
  });

  it('[C3] a run in which nothing happens is not written down again', () => {
    const cadence = new Cadence(every, at(0, 5));
    expect(cadence.due(at(1e9, 5))).toBe(false);
    expect(cadence.unsafe(5)).toBe(false);
    cadence.changed();
    expect(cadence.due(at(29_999, 5))).toBe(false);
    expect(cadence.due(at(30_000, 5))).toBe(true);
    cadence.begun();
    expect(cadence.unsafe(5)).toBe(false);
    expect(cadence.unsafe(6)).toBe(true);
  });

  it('[C3] the first of a start is begun at half the interval: nobody knows yet how long it takes', () => {
    const cadence = new Cadence(every, at(0, 0));
    expect(cadence.due(at(29_999, 99))).toBe(false);
    expect(cadence.due(at(30_000, 1))).toBe(true);
    expect(cadence.due(at(1, 100))).toBe(true);
  });

  it('[C3] a slow disk is not written to all the time: half the interval is the least', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.saved(at(0, 0), 100_000);
    expect(cadence.due(at(29_999, 99))).toBe(false);
    expect(cadence.due(at(0, 100))).toBe(true);
    expect(cadence.due(at(30_000, 1))).toBe(true);
  });

  it('[C3] one that is wanted is due at once, and again when what was wanted came after its beginning', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.want();
    expect(cadence.due(at(1, 0))).toBe(true);
    cadence.begun();
    expect(cadence.due(at(2, 0))).toBe(false);
    cadence.want();
    cadence.saved(at(1, 0), 3);
    expect(cadence.due(at(3, 0))).toBe(true);
  });

  it('[C4] after a failure it is tried again after 1 s, 2 s, 4 s … 30 s, until one is good', () => {
    const cadence = new Cadence(every, at(0, 0));
    let nowMs = 5000;
    for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      cadence.failed(nowMs);
      cadence.want(); // nobody is served sooner for asking
      expect(cadence.due(at(nowMs + waitMs - 1, 900))).toBe(false);
      expect(cadence.due(at(nowMs + waitMs, 0))).toBe(true);
      cadence.begun();
      expect(cadence.due(at(nowMs + waitMs, 0))).toBe(true);
      nowMs += waitMs;
    }
    cadence.saved(at(nowMs, 900), nowMs);
    expect(cadence.due(at(nowMs + 1, 901))).toBe(false);
  });
});
