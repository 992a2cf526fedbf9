// When a run is written down: by time, by versions, on demand, and after failures.

import { describe, expect, it } from 'vitest';
import { Cadence } from '../../server/adapters/checkpoints/cadence.ts';

const every = { everyMs: 60_000, everyVersions: 200 };
const at = (nowMs: number, version: number) => ({ nowMs, version });

describe('the cadence of checkpoints', () => {
  it('[C3] one is due after so much time or so many versions, whichever is first', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.saved(at(1000, 10), at(1000, 10));
    expect(cadence.due(at(54_999, 189))).toBe(false); // a tenth earlier, for the writing
    expect(cadence.due(at(55_000, 11))).toBe(true);
    expect(cadence.due(at(1001, 190))).toBe(true);
  });

  it('[C3] intervals go from beginning to beginning, earlier by what the slowest of the last took: no more than one is lost', () => {
    const cadence = new Cadence(every, at(0, 0));
    cadence.begun();
    cadence.saved(at(10_000, 200), at(12_000, 230));
    expect(cadence.due(at(10_001, 339))).toBe(false);
    expect(cadence.due(at(10_001, 340))).toBe(true);
    expect(cadence.due(at(63_999, 230))).toBe(false);
    expect(cadence.due(at(64_000, 230))).toBe(true);
    for (let i = 1; i <= 7; i++) cadence.saved(at(10_000, 200 * i), at(10_000, 200 * i + 1));
    expect(cadence.due(at(10_001, 1540))).toBe(true); // it is remembered
    cadence.saved(at(10_000, 1600), at(10_000, 1601));
    expect(cadence.due(at(10_001, 1779))).toBe(false);
    expect(cadence.due(at(10_001, 1780))).toBe(true);
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
    cadence.saved(at(0, 0), at(100_000, 5000));
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
    cadence.saved(at(1, 0), at(3, 0));
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
    cadence.saved(at(nowMs, 900), at(nowMs, 900));
    expect(cadence.due(at(nowMs + 1, 901))).toBe(false);
  });
});
