// Who sends what is unfit to use is banned, and who cannot help it is not.

import { describe, expect, it } from 'vitest';
import asgd from '../../server/methods/asgd.ts';
import { NO_DEFENCES } from '../../shared/config.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { Driver, RUN, tinyRun } from './driver.ts';

const BROKEN = { ...NO_DEFENCES, broken: 12 };
const driverOf = (defences: object = BROKEN): Driver =>
  new Driver(tinyRun(asgd, { config: { defences: { ...NO_DEFENCES, ...defences }, epochs: 100 } }));

const good = (driver: Driver, worker: string, times = 1): void => {
  for (let i = 0; i < times; i++) expect(driver.push(worker, driver.lease(worker)).outcome).toBe('applied');
};
const broken = (driver: Driver, worker: string, x = NaN): void =>
  void driver.push(worker, driver.lease(worker), { vector: new Float32Array(6).fill(x) });
const banned = (driver: Driver, worker: string): string | null => driver.row(worker).standing.banned;

describe('pushes that are unfit to use', () => {
  it.each([
    ['not-finite', NaN],
    ['too-large', 1e38],
    ['too-small', 1e-42],
    ['all-zero', 0],
  ])('[G11] [P18] %s: the twelfth bans, before the next lease is handed out', (reason, x) => {
    const driver = driverOf();
    driver.join('a', 'x');
    for (let i = 0; i < 11; i++) {
      broken(driver, 'x', x);
      good(driver, 'a');
    }
    expect(banned(driver, 'x')).toBeNull();
    const last = driver.push('x', driver.lease('x'), { vector: new Float32Array(6).fill(x), wantsNext: true });
    expect(last).toMatchObject({ outcome: 'rejected', reason, next: { kind: 'stop', reason: 'banned' } });
    expect(banned(driver, 'x')).toMatch(reason);
    expect(banned(driver, 'a')).toBeNull();
  });

  it('[G11] so does another number of samples than was leased', () => {
    const driver = driverOf();
    driver.join('a', 'x');
    for (let i = 0; i < 12; i++) {
      expect(driver.push('x', driver.lease('x'), { samples: 1 })).toMatchObject({ reason: 'wrong-samples' });
      good(driver, 'a');
    }
    expect(banned(driver, 'x')).toMatch('wrong-samples');
  });

  it('[G11] four good ones make up for one: a fault now and then bans nobody, one in four does', () => {
    const driver = driverOf();
    driver.join('a', 'x', 'y');
    for (let i = 0; i < 100; i++) {
      broken(driver, 'x');
      good(driver, 'x', 4);
      good(driver, 'a');
    }
    expect(banned(driver, 'x')).toBeNull();
    for (let i = 0; i < 50 && banned(driver, 'y') === null; i++) {
      broken(driver, 'y');
      if (banned(driver, 'y') === null) good(driver, 'y', 3);
    }
    expect(banned(driver, 'y')).not.toBeNull();
  });

  it('[G11] where nobody’s are good, nobody is banned: the parameters are what is broken', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    for (let i = 0; i < 50; i++) for (const worker of ['a', 'b']) broken(driver, worker);
    expect([banned(driver, 'a'), banned(driver, 'b')]).toEqual([null, null]);
  });

  it('[G11] what has other reasons speaks against nobody', () => {
    const driver = driverOf();
    driver.join('a', 'x');
    for (let i = 0; i < 50; i++) {
      const held = driver.lease('x');
      good(driver, 'a');
      driver.push('x', held);
      expect(driver.push('a', held)).toMatchObject({ outcome: 'rejected' }); // another's
    }
    expect(banned(driver, 'a')).toBeNull();
  });

  it('[G9] [G11] are remembered over a restart, and that one counted since which nothing was accepted', () => {
    const first = driverOf();
    first.join('a', 'x');
    for (let i = 0; i < 11; i++) {
      good(first, 'a');
      broken(first, 'x');
    }
    const again = Driver.resumed(first.coordinator.setup(RUN), first.snapshot());
    again.join('a', 'x');
    broken(again, 'x');
    expect(banned(again, 'x')).toBeNull();
    good(again, 'a');
    broken(again, 'x');
    expect(banned(again, 'x')).toMatch('not-finite');
  });

  it('[G11] [C5] a checkpoint from before they were counted can be gone on with', () => {
    const first = driverOf();
    first.join('a');
    good(first, 'a', 3);
    const snapshot = first.snapshot();
    const newer = ['accepted', 'broken', 'brokenAt'];
    const { defences, ...facts } = snapshot.facts as unknown as { defences: object };
    const text = JSON.stringify(defences, (key, value: unknown) => (newer.includes(key) ? undefined : value));
    const older = { ...snapshot, facts: { ...facts, defences: JSON.parse(text) as object } };
    const again = Driver.resumed(first.coordinator.setup(RUN), older as unknown as typeof snapshot);
    again.join('a', 'x');
    for (let i = 0; i < 12; i++) {
      good(again, 'a');
      broken(again, 'x');
    }
    expect(banned(again, 'x')).toMatch('not-finite');
  });

  it('[G7] [G11] a device that is let back in begins anew, under every name that it worked', () => {
    const device = 'w0123456789abcdef0123';
    const driver = driverOf();
    driver.join('a', device, `${device}-2`);
    for (let i = 0; i < 12; i++) {
      broken(driver, `${device}-2`);
      good(driver, 'a');
    }
    expect(banned(driver, device)).toMatch('not-finite');
    driver.send({ type: 'unban', run: RUN, worker: asWorkerId(device) });
    driver.join(`${device}-2`);
    broken(driver, `${device}-2`);
    expect(banned(driver, device)).toBeNull();
  });

  it('[G11] may be turned off', () => {
    const driver = driverOf({ broken: null });
    driver.join('a', 'x');
    for (let i = 0; i < 50; i++) {
      broken(driver, 'x');
      good(driver, 'a');
    }
    expect(banned(driver, 'x')).toBeNull();
  });
});
