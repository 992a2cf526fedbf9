// A coordinator that is about to stop: nothing more goes out, and what is out may come in.

import { describe, expect, it } from 'vitest';
import ssgd from '../../server/methods/ssgd.ts';
import { Driver, RUN, tinyRun } from './driver.ts';

const leaving = { kind: 'wait', reason: 'leaving', retryAfterMs: 3000 };

describe('a coordinator that is about to stop', () => {
  it('[K12] issues no lease, tells all who wait, and takes in what is out', () => {
    const driver = new Driver(tinyRun(ssgd, { config: { evaluateEveryVersions: 1 } }));
    driver.join('a', 'b', 'c');
    const [first, second] = [driver.lease('a'), driver.lease('b')];
    driver.push('a', first);
    const waits = driver.ask('a'); // for b
    expect(driver.answers.has(waits)).toBe(false);
    driver.send({ type: 'drain' });
    expect(driver.answers.get(waits)!.reply.next).toEqual(leaving);
    expect(driver.pull('c')).toEqual(leaving);
    expect(driver.coordinator.awaited()).toBe(1);
    expect(driver.push('b', second, { wantsNext: true })).toMatchObject({
      outcome: 'applied',
      version: 1,
      next: leaving,
    });
    expect(driver.coordinator.awaited()).toBe(0);
    expect(driver.evaluations).toEqual([]); // nobody would hear of it: begun when the run is gone on with
    const later = Driver.resumed(driver.coordinator.setup(RUN), driver.snapshot());
    expect(later.evaluations).toMatchObject([{ version: 1 }]);
    later.join('a');
    expect(later.pull('a')).toMatchObject({ kind: 'lease' });
  });

  it('[K12] still tells that a run is over, and that of all of them', () => {
    const driver = new Driver(tinyRun(ssgd), tinyRun(ssgd, { id: 'other' }));
    driver.join('a');
    driver.send({ type: 'drain' });
    driver.operate('pause');
    expect(driver.pull('a')).toEqual(leaving);
    driver.operate('stop');
    expect(driver.pull('a')).toEqual({ kind: 'stop', reason: 'stopped' });
    expect(driver.coordinator.awaited()).toBe(0);
  });
});
