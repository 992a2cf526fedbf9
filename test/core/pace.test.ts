// Too late by versions, and too slow by the clock: what is refused, and who gets more time.

import { describe, expect, it } from 'vitest';
import { leaseDurations, SOFT_MS_MAX } from '../../server/core/leases.ts';
import asgd from '../../server/methods/asgd.ts';
import fedbuff from '../../server/methods/fedbuff.ts';
import { NO_DEFENCES } from '../../shared/config.ts';
import { Driver, tinyRun } from './driver.ts';

describe('a push that is many versions late', () => {
  const driverOf = (least: number, perWorker: number): Driver => {
    const defences = { ...NO_DEFENCES, lag: { least, perWorker } };
    return new Driver(tinyRun(asgd, { config: { defences, epochs: 50 } }));
  };
  const steps = (driver: Driver, count: number): void => {
    for (let i = 0; i < count; i++) driver.push('b', driver.lease('b'));
  };

  it('[L14] [P10] is refused as stale, changes nothing, and its answer brings new work', () => {
    const driver = driverOf(5, 2);
    driver.join('a', 'b');
    const held = driver.lease('a');
    steps(driver, 6);
    const [theta, { samples }] = [driver.theta(), driver.summary()];
    const reply = driver.push('a', held, { wantsNext: true });
    expect(reply).toMatchObject({ outcome: 'rejected', reason: 'stale', version: 6 });
    expect(reply.next).toMatchObject({ kind: 'lease', lease: { baseVersion: 6, batches: held.lease.batches } });
    expect(driver.theta()).toEqual(theta);
    expect(driver.summary().samples).toBe(samples);
    expect(driver.row('a').refused).toEqual({ stale: 1 });
  });

  it('[L14] [P10] is taken in up to the least, and up to so many versions a worker that is here', () => {
    for (const [least, perWorker, lag, outcome] of [
      [5, 1, 5, 'applied'],
      [5, 1, 6, 'rejected'],
      [2, 4, 8, 'applied'],
      [2, 4, 9, 'rejected'],
    ] as const) {
      const driver = driverOf(least, perWorker);
      driver.join('a', 'b', 'c');
      driver.away('c'); // it does not count
      const held = driver.lease('a');
      steps(driver, lag);
      expect([least, perWorker, lag, driver.push('a', held).outcome]).toEqual([least, perWorker, lag, outcome]);
    }
  });

  it('[A11] [P10] weighs (1 + τ)^−½ of one that is not late', () => {
    const movedBy = (lag: number): number => {
      const setup = tinyRun(fedbuff, {
        config: { epochs: 50 },
        hyperparameters: { bufferSize: 1, innerOptimizer: 'sgd' },
      });
      const driver = new Driver(setup);
      driver.join('a', 'b');
      const held = driver.lease('a');
      for (let i = 0; i < lag; i++) driver.push('b', driver.lease('b'), { vector: new Float32Array(6).fill(1e-6) });
      const before = driver.theta();
      expect(driver.push('a', held, { vector: new Float32Array(6).fill(0.5) })).toMatchObject({
        outcome: 'applied',
        lag,
      });
      return before[0]! - driver.theta()[0]!;
    };
    const fresh = movedBy(0);
    for (const lag of [1, 3, 8]) expect(movedBy(lag) / fresh).toBeCloseTo(1 / Math.sqrt(1 + lag), 4);
  });
});

describe('a worker that is slow', () => {
  const config = { perWorker: 2, softMinMs: 15_000, softFactor: 3, hardFactor: 4 };

  it('[L2] never keeps work from the others for more than an hour', () => {
    expect(leaseDurations(config, { batchMs: 3_600_000, overruns: 3 }).softMs).toBe(SOFT_MS_MAX);
    expect(leaseDurations(config, { batchMs: null, overruns: 0 }, 1_000)).toEqual({
      softMs: SOFT_MS_MAX,
      hardMs: 4 * SOFT_MS_MAX,
    });
    expect(SOFT_MS_MAX).toBe(3_600_000);
  });

  it('[L2] is given twice as long after each lease that it could not end in time, until it can', () => {
    const driver = new Driver(tinyRun(asgd, { config: { epochs: 50, leases: { softMinMs: 1000 } } }));
    driver.join('slow');
    const outcomes: string[] = [];
    for (let i = 0; i < 12; i++) {
      const held = driver.lease('slow');
      driver.advance(20_000); // its hard deadline is after 4 s at first
      outcomes.push(driver.push('slow', held).outcome);
    }
    expect(outcomes).toEqual(['rejected', 'rejected', 'rejected', ...new Array<string>(9).fill('applied')]);
    expect(driver.row('slow').refused).toEqual({ 'expired-lease': 3 });
  });

  it('[L2] is not thought slow for the time it was away', () => {
    const driver = new Driver(tinyRun(asgd, { config: { epochs: 50, leases: { softMinMs: 1000 } } }));
    driver.join('a');
    const held = driver.lease('a');
    driver.away('a');
    driver.advance(4_000);
    expect(driver.push('a', held)).toMatchObject({ reason: 'expired-lease' });
    driver.back('a');
    const again = driver.lease('a');
    driver.advance(4_000);
    expect(driver.push('a', again)).toMatchObject({ reason: 'expired-lease' });
  });
});
