// The curves of a run: cursors, gaps, and a bound on what is held.

import { describe, expect, it } from 'vitest';
import { History } from '../../client/page/history.ts';
import type { MetricPoint } from '../../shared/protocol/snapshots.ts';

const point = (seconds: number, fields: Partial<MetricPoint> = {}): MetricPoint => ({
  timeMs: seconds * 1000,
  version: seconds * 10,
  samples: seconds * 640,
  trainLoss: 1 / (1 + seconds),
  validationLoss: null,
  accuracy: null,
  lagMean: null,
  gapMean: null,
  updatesPerSecond: 10,
  samplesPerSecond: 640,
  workers: 1,
  ...fields,
});

const seconds = (count: number, from = 0): MetricPoint[] => Array.from({ length: count }, (_, i) => point(from + i));

describe('History', () => {
  it('appends pages and keeps the cursor for the next', () => {
    const curves = new History();
    curves.merge({ points: seconds(3), next: 3 });
    curves.merge({ points: seconds(2, 3), next: 5 });
    expect(curves.places.timeMs).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(curves.cursor).toBe(5);
  });

  it('passes over points that come a second time', () => {
    const curves = new History();
    curves.merge({ points: seconds(4), next: 4 });
    curves.merge({ points: seconds(4, 2), next: 6 });
    expect(curves.places.timeMs).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
  });

  it('forgets everything when the cursor falls back, as after a restart from a checkpoint', () => {
    const curves = new History();
    curves.merge({ points: seconds(10), next: 10 });
    curves.merge({ points: seconds(2), next: 2 });
    expect(curves.places.timeMs).toEqual([0, 1000]);
    expect(curves.cursor).toBe(2);
  });

  it('keeps a missing value as null, and so a value that is no number', () => {
    const curves = new History();
    curves.merge({ points: [point(0, { trainLoss: null }), point(1, { trainLoss: Infinity })], next: 2 });
    expect(curves.measures.trainLoss).toEqual([null, null]);
    expect(curves.latest('trainLoss')).toBeNull();
  });

  it('finds the latest known value of a measure that is taken now and then', () => {
    const curves = new History();
    curves.merge({ points: [point(0, { accuracy: 0.5 }), point(1), point(2)], next: 3 });
    expect(curves.latest('accuracy')).toBe(0.5);
  });

  it('breaks the line where the run was silent, and not where points are far apart anyway', () => {
    const silent = new History();
    silent.merge({ points: [...seconds(3), ...seconds(2, 100)], next: 5 });
    expect(silent.places.timeMs).toEqual([0, 1000, 2000, 51_000, 100_000, 101_000]);
    expect(silent.measures.trainLoss[3]).toBeNull();

    const coarse = new History();
    coarse.merge({ points: [0, 60, 120, 180].map((at) => point(at)), next: 4 });
    expect(coarse.rows).toBe(4);
  });

  it('never holds more rows than its bound, and keeps the ends, the order and rare measurements', () => {
    const curves = new History(100);
    const measured = [7, 400, 901];
    const points = seconds(1000).map((one, i) => (measured.includes(i) ? { ...one, accuracy: i / 1000 } : one));
    for (const [i, one] of points.entries()) {
      curves.merge({ points: [one], next: i + 1 });
      expect(curves.rows).toBeLessThanOrEqual(100);
    }
    const { timeMs } = curves.places;
    expect(timeMs.at(-1)).toBe(999_000);
    expect(timeMs).toEqual([...timeMs].sort((a, b) => a - b));
    expect(curves.measures.accuracy.filter((value) => value !== null)).toEqual([0.007, 0.4, 0.901]);
    expect(curves.measures.trainLoss).toHaveLength(curves.rows);
  });

  it('thins the whole run evenly: its beginning stays as fine as its middle', () => {
    const curves = new History(100);
    for (const [i, one] of seconds(5000).entries()) curves.merge({ points: [one], next: i + 1 });
    const inside = (from: number, to: number): number =>
      curves.places.timeMs.filter((time) => time >= from && time < to).length;
    expect(inside(0, 1_000_000)).toBeGreaterThanOrEqual(inside(2_000_000, 3_000_000) - 1);
  });

  it('keeps breaks when it thins rows out', () => {
    const curves = new History(40);
    curves.merge({ points: [...seconds(30), ...seconds(30, 500)], next: 60 });
    const breaks = curves.measures.trainLoss.filter((value) => value === null);
    expect(curves.rows).toBeLessThanOrEqual(40);
    expect(breaks).toHaveLength(1);
  });

  it('raises its revision with every change, and only then', () => {
    const curves = new History();
    curves.merge({ points: seconds(1), next: 1 });
    const { revision } = curves;
    curves.merge({ points: [], next: 1 });
    expect(curves.revision).toBe(revision);
    curves.clear();
    expect(curves.revision).toBeGreaterThan(revision);
    expect(curves.rows).toBe(0);
  });
});
