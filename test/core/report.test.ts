// What a run shows: rates, means, and curves in bounded memory.

import { describe, expect, it } from 'vitest';
import { History, POINTS_MAX, RECENT_MAX } from '../../server/core/history.ts';
import { median, Rate, RunningMean } from '../../server/core/rate.ts';
import asgd from '../../server/methods/asgd.ts';
import { asWorkerId } from '../../shared/ids.ts';
import type { MetricPoint } from '../../shared/protocol/snapshots.ts';
import { aPoint } from '../points.ts';
import { Driver, RUN, tinyRun } from './driver.ts';

const point = (version: number): MetricPoint => aPoint({ timeMs: version, version });

describe('a curve', () => {
  it('[R3] has the latest 1,200 points whole', () => {
    const history = new History();
    for (let i = 0; i < 50_000; i++) history.add(point(i));
    const versions = history.page(0).points.map(({ version }) => version);
    expect(versions.slice(-RECENT_MAX)).toEqual(Array.from({ length: RECENT_MAX }, (_, i) => 48_800 + i));
  });

  it('[R3] never has more than 3,600, and covers the whole run evenly: a day, and its first minutes too', () => {
    const history = new History();
    for (let i = 0; i < 86_400; i++) history.add(point(i));
    const versions = history.page(0).points.map(({ version }) => version);
    expect(versions.length).toBeLessThanOrEqual(3600);
    expect(versions.slice(0, 3)).toEqual([0, 64, 128]);
    const gaps = versions.slice(1).map((version, i) => version - versions[i]!);
    expect(Math.min(...gaps)).toBeGreaterThan(0); // in order, none twice
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * 64);
    expect(POINTS_MAX).toBe(3600);
  });

  it('[R3] gives what there is no figure of as null, whether it was null, NaN or infinite, also after a restart', () => {
    const history = new History();
    history.add({ ...point(0), trainLoss: NaN, validationLoss: Infinity, gapMean: null, lagMean: 0 });
    const again = new History();
    again.restore(history.snapshot());
    for (const one of [history, again])
      expect(one.page(0).points[0]).toMatchObject({ trainLoss: null, validationLoss: null, gapMean: null, lagMean: 0 });
  });

  it('[R3] keeps measurements when it thins what is between them', () => {
    const history = new History();
    for (let i = 0; i < 20_000; i++) history.add({ ...point(i), validationLoss: i % 50 === 7 ? 0.5 : null });
    const measured = history.page(0).points.filter(({ validationLoss }) => validationLoss !== null);
    expect(measured.map(({ version }) => version)).toEqual(Array.from({ length: 400 }, (_, i) => i * 50 + 7));
  });

  it('[R3] a reader with the cursor of its last page gets what came after, once', () => {
    const history = new History();
    const seen: number[] = [];
    let next = 0;
    for (let i = 0; i < 9000; i++) {
      history.add(point(i));
      if (i % 7 !== 0) continue;
      const page = history.page(next);
      seen.push(...page.points.map(({ version }) => version));
      next = page.next;
    }
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i));
    expect(history.page(next + 100).points).toEqual([]);
  });

  it('[R2] gets at most one point a second, none when nothing changed, and one at once for a measurement', () => {
    const driver = new Driver(tinyRun(asgd, { shards: [1000], config: { evaluateEveryVersions: 30 } }));
    driver.join('a');
    for (let i = 0; i < 50; i++) {
      driver.push('a', driver.lease('a'));
      driver.advance(100);
    }
    driver.evaluated({ loss: 0.25, accuracy: 0.75 });
    const { points } = driver.coordinator.metrics(RUN, 0);
    expect(points.filter(({ validationLoss }) => validationLoss === null).length).toBeLessThanOrEqual(5);
    expect(points.at(-1)).toMatchObject({ validationLoss: 0.25, accuracy: 0.75, version: 50, workers: 1 });
    driver.advance(1500);
    const settled = driver.coordinator.metrics(RUN, 0).points.length;
    driver.advance(20_000);
    expect(driver.coordinator.metrics(RUN, 0).points.length).toBe(settled);
  });
});

describe('figures', () => {
  it('[R1] what is not known yet is null, never 0', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a');
    expect(driver.summary()).toMatchObject({ loss: { train: null, validation: null }, accuracy: null, test: null });
    expect(driver.row('a')).toMatchObject({
      lag: { last: null, mean: null, max: null },
      gap: { last: null },
      loss: null,
    });
    driver.advance(2000);
    for (const { trainLoss, lagMean, accuracy } of driver.coordinator.metrics(RUN, 0).points) {
      expect([trainLoss, lagMean, accuracy]).toEqual([null, null, null]);
    }
  });

  it('[R4] a worker’s row has its lags, gaps, loss, samples and refusals; refused pushes count in none but the last', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a', 'b');
    const stale = driver.lease('b');
    driver.push('a', driver.lease('a'), { loss: 3 });
    driver.push('b', stale, { loss: 5 });
    const bad = driver.lease('b');
    driver.push('b', bad, { vector: new Float32Array(6).fill(Infinity), loss: 999 });
    driver.push('b', driver.lease('b'), { loss: 5 });
    driver.send({ type: 'traffic', run: RUN, worker: asWorkerId('b'), bytesIn: 10, bytesOut: 20 });
    driver.send({ type: 'traffic', run: RUN, worker: asWorkerId('b'), bytesIn: 1, bytesOut: 2 });
    expect(driver.row('b')).toMatchObject({
      lag: { last: 0, mean: 0.5, max: 1 },
      loss: 5,
      pushes: 2,
      refused: { 'not-finite': 1 },
      bytesIn: 11,
      bytesOut: 22,
    });
    expect(driver.summary().samples).toBe(driver.row('a').samples + driver.row('b').samples);
    expect(driver.summary().loss.train).toBeCloseTo(0.98 * (0.98 * 3 + 0.02 * 5) + 0.02 * 5, 12);
  });

  it('[R4] what was handed out does not change afterwards', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a');
    driver.push('a', driver.lease('a'), { samples: 1 });
    const row = driver.row('a');
    driver.push('a', driver.lease('a'), { samples: 1 });
    expect(row.refused).toEqual({ 'wrong-samples': 1 });
    expect(driver.row('a').refused).toEqual({ 'wrong-samples': 2 });
  });
});

describe('rates', () => {
  it('[R5] are right from the first seconds, and steady where the source is', () => {
    const rate = new Rate();
    expect(rate.perSecond(0)).toBe(0);
    for (let ms = 0; ms <= 60_000; ms += 100) {
      rate.add(2, ms);
      if (ms >= 2000) expect(Math.abs(rate.perSecond(ms) / 20 - 1)).toBeLessThan(0.06);
    }
  });

  it('[R5] forget by half in five seconds', () => {
    const rate = new Rate();
    for (let ms = 0; ms <= 120_000; ms += 50) rate.add(1, ms);
    const before = rate.perSecond(120_000);
    expect(rate.perSecond(125_000) / before).toBeCloseTo(0.5, 2);
    expect(rate.perSecond(130_000) / before).toBeCloseTo(0.25, 2);
  });

  it('[R5] a clock that stands still or goes back gives no infinity', () => {
    const rate = new Rate();
    rate.add(5, 1000);
    rate.add(5, 1000);
    rate.add(5, 500);
    expect(Number.isFinite(rate.perSecond(400))).toBe(true);
  });

  it('[R5] a running mean begins at its first value', () => {
    const mean = new RunningMean(0.5);
    expect(mean.value).toBeNull();
    mean.add(8);
    expect(mean.value).toBe(8);
    mean.add(4);
    expect(mean.value).toBe(6);
  });

  it('[L2] the median of none is null, of an even number the mean of the middle two', () => {
    expect(median([])).toBeNull();
    expect(median([5])).toBe(5);
    expect(median([9, 1, 10])).toBe(9);
    expect(median([4, 1, 10, 2])).toBe(3);
  });
});
