// What is believed of the losses that workers say: a liar's own row has its word, the run's curves have little of it.

import { describe, expect, it } from 'vitest';
import { LossLimit } from '../../server/core/losslimit.ts';
import asgd from '../../server/methods/asgd.ts';
import { Defended } from './defended.ts';
import { Driver, RUN, tinyRun } from './driver.ts';

const say = (driver: Driver, worker: string, loss: number): unknown =>
  driver.push(worker, driver.lease(worker), { loss });
const lastPoint = (driver: Driver) => driver.coordinator.metrics(RUN, 0).points.at(-1)!;

describe('of a loss is believed', () => {
  const limited = (heldOut: number, ...losses: number[]): LossLimit =>
    new LossLimit(() => ({ heldOut, losses, crowd: 0 }));

  it('[R6] at most five times the middle of the votes, the lower of two', () => {
    expect(limited(1, 3, 2).believed(1e9)).toBe(10);
    expect(limited(2, 1e9).believed(1e9)).toBe(10);
    expect(limited(1, 2, 1e9, 2).believed(1e9)).toBe(10);
    expect(limited(1, 3, 2).believed(9.5)).toBe(9.5);
  });

  it('[R6] five times the loss on held-out samples, where the workers’ own are known by heart', () => {
    expect(limited(0.5, 0, 1e-5, 1e-4).believed(1e9)).toBe(2.5);
  });

  it('[R6] what the votes came to lately: they are asked for again after pushes of an eighth of the crowd', () => {
    let asked = 0;
    const votes = [1, 1, 1];
    const limit = new LossLimit(() => {
      asked += 1;
      return { heldOut: 1, losses: votes, crowd: 80 };
    });
    for (let push = 0; push < 1 + 11 * 9; push++) limit.believed(1);
    expect(asked).toBe(10);
    votes.fill(2);
    for (let push = 0; push < 11; push++) limit.believed(1);
    expect(limit.believed(1e9)).toBe(10);
  });
});

describe('a run', () => {
  it('[R6] [P22] has in its curve of one that lies no more than five times the others’ loss, whose row has all of it', () => {
    const driver = new Driver(tinyRun(asgd, { config: { epochs: 100 } }));
    driver.join('a', 'b', 'c', 'x');
    for (let turn = 0; turn < 5; turn++)
      for (const worker of ['a', 'b', 'c', 'x']) say(driver, worker, worker === 'x' ? 1e9 : 2);
    driver.advance(1100);
    expect(lastPoint(driver).trainLoss).toBeCloseTo((15 * 2 + 5 * 10) / 20, 9);
    expect(driver.summary().loss.train).toBeLessThan(4);
    expect([driver.row('x').loss, driver.row('a').loss]).toEqual([1e9, 2]);
  });

  it('[R6] [P22] asks those that are trusted: a crowd of newcomers moves nothing', () => {
    const driver = new Defended({ probation: { pushes: 3, weight: 0.2 } });
    const crowd = Array.from({ length: 20 }, (_, i) => `new${i}`);
    driver.join('a', 'b', ...crowd);
    for (let turn = 0; turn < 3; turn++) for (const worker of ['a', 'b']) say(driver, worker, 2);
    driver.advance(1100);
    for (const worker of crowd) say(driver, worker, 1e9);
    driver.advance(1100);
    expect(lastPoint(driver).trainLoss).toBeCloseTo(10, 9);
  });

  it('[R6] and the held-out samples, which are all there is while nobody is trusted: the very first may lie', () => {
    const driver = new Defended({ probation: { pushes: 12, weight: 0.2 } }, asgd, { evaluateEveryVersions: 2 });
    driver.join('x');
    for (let turn = 0; turn < 2; turn++) say(driver, 'x', 1e9);
    driver.advance(1100);
    expect(lastPoint(driver).trainLoss).toBeCloseTo(5 * Math.log(2), 9); // two classes, not measured yet
    driver.evaluated({ loss: 3, accuracy: 0.5 });
    say(driver, 'x', 1e9);
    driver.advance(2100);
    expect(lastPoint(driver).trainLoss).toBeCloseTo(15, 9);
  });

  it('[R6] [K2] goes on with the same limit after a restart', () => {
    const setup = tinyRun(asgd, { config: { epochs: 100 } });
    const driver = new Driver(setup);
    driver.join('a', 'b', 'c');
    for (let turn = 0; turn < 5; turn++) for (const worker of ['a', 'b', 'c']) say(driver, worker, 2);
    const later = Driver.resumed(setup, driver.snapshot());
    later.join('x');
    say(later, 'x', 1e9);
    later.advance(1100);
    expect(lastPoint(later).trainLoss).toBeCloseTo(10, 9);
  });
});
