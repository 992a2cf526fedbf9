// What a push counts for: the clip and the cap on influence, by numbers made by hand.

import { describe, expect, it } from 'vitest';
import { Clip } from '../../server/core/defence/clip.ts';
import { Influence } from '../../server/core/defence/influence.ts';
import { Records } from '../../server/core/defence/records.ts';
import { rng } from '../../shared/rng.ts';
import fc from '../property.ts';

const everyone = (): boolean => true;

describe('the clip', () => {
  const clipOf = (norms: Record<string, number[]>, votes: (worker: string) => boolean = everyone): Clip => {
    const records = new Records();
    const clip = new Clip(1.5, records, votes);
    for (const [worker, list] of Object.entries(norms)) for (const norm of list) clip.saw(records.touch(worker), norm);
    return clip;
  };

  it('[G1] is 1.5 times the median of the workers’ own medians, one vote each', () => {
    expect(clipOf({ a: [1, 2, 9], b: [4], c: [10, 10] }).limit).toBe(1.5 * 4);
    // however often the first one pushes
    expect(clipOf({ a: Array<number>(15).fill(1000), b: [2, 2], c: [3] }).limit).toBe(1.5 * 3);
  });

  it('[G1] of an even number of medians takes the lower middle one', () => {
    expect(clipOf({ a: [1, 1, 1], b: [1000, 1000, 1000] }).limit).toBe(1.5);
  });

  it('[G1] says nothing while fewer than five norms are known', () => {
    expect(clipOf({ a: [1, 1], b: [1, 1] }).limit).toBe(Infinity);
    expect(clipOf({ a: [1, 1], b: [1, 1, 1] }).limit).toBe(1.5);
  });

  it('[G1] looks at the last 15 norms of a worker', () => {
    expect(clipOf({ a: [...Array<number>(15).fill(9), ...Array<number>(15).fill(2)] }).limit).toBe(3);
  });

  it('[G1] measures nobody by pushes of no length', () => {
    expect(clipOf({ a: [0, 0, 0, 2, 2, 2], b: [0, 0, 0, 0, 2, 2] }).limit).toBe(3);
  });

  it('[G1] gives no vote to who is not here', () => {
    const norms = { a: [1, 1, 1], b: [1, 1, 1], gone: [8, 8], away: [8, 8], off: [8, 8] };
    expect(clipOf(norms, (worker) => worker.length === 1).limit).toBe(1.5);
  });

  it('[G1] forgets what it knows when the method changes', () => {
    const clip = clipOf({ a: [1, 1, 1, 1, 1, 1] });
    clip.forget();
    expect(clip.limit).toBe(Infinity);
  });
});

describe('the cap on influence', () => {
  it('[G3] leaves one or two workers alone', () => {
    const influence = new Influence(2, () => 2);
    for (let i = 0; i < 100; i++) expect(influence.grant('a', 1)).toBe(1);
    for (let i = 0; i < 100; i++) expect(influence.grant('b', 1)).toBe(1);
  });

  it('[G3] takes off what is above 2/n', () => {
    const influence = new Influence(2, () => 4);
    // a, b, c and d in turn, then a alone: 5 each in a window of 20, of which 2/4 at most
    for (let i = 0; i < 20; i++) influence.grant('abcd'[i % 4]!, 1);
    const granted = Array.from({ length: 12 }, () => influence.grant('a', 1));
    // with 2/4 there is room for as much as the others have left: their 15 fall to 6, and 2 of its own first 5 remain
    expect(granted[0]).toBe(1);
    expect(granted.at(-1)).toBe(0);
    expect(granted.reduce((sum, weight) => sum + weight)).toBe(7);
  });

  it('[G3] is by who pushes, not by who is there: a crowd that stands by does not hold up the one that works', () => {
    const influence = new Influence(2, () => 50);
    for (let i = 0; i < 1000; i++) expect(influence.grant('a', 1)).toBe(1);
  });

  it('[G3] workers whose pushes count for nothing are no crowd either', () => {
    const influence = new Influence(2, () => 3);
    for (let i = 0; i < 300; i++) {
      influence.grant('x', 0);
      influence.grant('y', 0);
      expect(influence.grant('a', 1)).toBe(1);
    }
  });

  it('[G3] [P21] after any push that counts, its worker has at most 2/n of the window', () => {
    const pushes = fc.array(fc.tuple(fc.nat(9), fc.constantFrom(1, 1, 0.2)), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(pushes, fc.integer({ min: 1, max: 12 }), (list, present) => {
        const influence = new Influence(2, () => present);
        const window: { worker: number; weight: number }[] = [];
        for (const [worker, wanted] of list) {
          const weight = influence.grant(String(worker), wanted);
          expect(weight).toBeGreaterThanOrEqual(0);
          expect(weight).toBeLessThanOrEqual(wanted);
          window.push({ worker, weight });
          if (window.length > Math.max(20, 4 * present)) window.shift();
          if (weight === 0) continue;
          const sums = new Map<number, number>();
          for (const one of window) sums.set(one.worker, (sums.get(one.worker) ?? 0) + one.weight);
          const total = [...sums.values()].reduce((a, b) => a + b, 0);
          const active = [...sums.values()].filter((sum) => sum > 0).length;
          expect(sums.get(worker)! / total).toBeLessThanOrEqual(2 / active + 1e-5);
        }
      }),
    );
  });

  it('[G3] costs a homogeneous fleet nothing to speak of, and one of log-normal speeds some of its fastest', () => {
    const lost = (sigma: number): number => {
      const random = rng(`influence/${sigma}`);
      const influence = new Influence(2, () => 25);
      const periods = Array.from({ length: 25 }, () => Math.exp(sigma * random.normal()));
      const due = periods.map((period) => period * random.next());
      let sum = 0;
      for (let i = 0; i < 4000; i++) {
        const next = due.indexOf(Math.min(...due));
        sum += 1 - influence.grant(String(next), 1);
        due[next]! += periods[next]! * (0.9 + 0.2 * random.next());
      }
      return sum / 4000;
    };
    expect(lost(0)).toBeLessThan(0.001);
    expect(lost(0.4)).toBeLessThan(0.04);
    expect(lost(0.7)).toBeLessThan(0.15);
  });

  it('[G9] goes on from a snapshot as if it had never stopped', () => {
    const random = rng('influence');
    const first = new Influence(2, () => 5);
    const draw = (): [string, number] => [String(random.below(5) * random.below(2)), random.next()];
    for (let i = 0; i < 70; i++) first.grant(...draw());
    const second = new Influence(2, () => 5);
    second.restore(first.snapshot());
    for (let i = 0; i < 70; i++) {
      const push = draw();
      expect(second.grant(...push)).toBe(first.grant(...push));
    }
  });
});
