// What the soak command calls a success.

import { describe, expect, it } from 'vitest';
import { longestStall, slope } from '../../tools/soak/trend.ts';
import { verdict, type Look } from '../../tools/soak/verdict.ts';

/** Half an hour, a look every two seconds, a collection every thirty. */
const looks = (
  of: { mbPerHour?: number; codeMbPerHour?: number; buffersMbPerHour?: number; stallS?: number } = {},
): Look[] =>
  Array.from({ length: 900 }, (_, i) => {
    const seconds = 2 * i;
    const grown = (mbPerHour = 0): number => (mbPerHour * 1e6 * seconds) / 3600;
    const stalled = of.stallS !== undefined && seconds >= 600 && seconds < 600 + of.stallS;
    return {
      seconds,
      version: stalled ? 300 : 300 + i,
      live: i % 15 === 0 ? { code: 3e6 + grown(of.codeMbPerHour), objects: 40e6 + grown(of.mbPerHour) + (i % 7) * 0.05e6, buffers: 50e6 + (i % 11) * 1e6 + grown(of.buffersMbPerHour) } : null, // prettier-ignore
      residentBytes: 200e6,
    };
  });
const failing = (...of: Parameters<typeof verdict>): string[] =>
  verdict(...of)
    .filter(({ holds }) => !holds)
    .map(({ claim }) => claim);

describe('a soak', () => {
  it('[P3] holds when the version rises, the heap does not, and nobody falls', () => {
    expect(failing(looks(), 400, [])).toEqual([]);
    expect(failing(looks({ mbPerHour: 0.5 }), 400, [])).toEqual([]);
  });

  it('[P3] fails for a stall, a heap that grows, a process that fell, and when nobody was killed', () => {
    expect(failing(looks({ stallS: 40 }), 400, [])).toEqual(['The version rises at least every 30 s']);
    for (const grown of [{ mbPerHour: 3 }, { codeMbPerHour: 3 }, { mbPerHour: 0.6, codeMbPerHour: 0.6 }])
      expect(failing(looks(grown), 400, [])).toEqual(['The heap grows by less than 1 MB an hour after the first half']);
    expect(failing(looks({ buffersMbPerHour: 200 }), 400, [])).toEqual(['Buffers grow by less than 100 MB an hour after the first half']); // prettier-ignore
    expect(failing(looks(), 400, ['worker 1 ended'])).toHaveLength(1);
    expect(failing(looks(), 0, [])).toHaveLength(1);
    expect(failing([], 400, [])).toHaveLength(3);
  });
});

describe('a trend', () => {
  it('is a line’s slope, and of one moment none', () => {
    expect(slope([{ at: 0, value: 1 }, { at: 1, value: 3 }, { at: 2, value: 5 }])).toBeCloseTo(2); // prettier-ignore
    expect(slope([{ at: 1, value: 1 }])).toBeNull();
  });

  it('stalls from a rise to the next, or to the end', () => {
    const points = [0, 1, 1, 1, 2, 2].map((value, i) => ({ at: 10 * i, value }));
    expect(longestStall(points)).toBe(30);
    expect(longestStall([])).toBe(0);
  });
});
