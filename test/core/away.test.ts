// Workers whose connection closed without a goodbye: what they keep, who waits for them, and who gets their work.

import { describe, expect, it } from 'vitest';
import type { Method } from '../../server/core/method.ts';
import asgd from '../../server/methods/asgd.ts';
import danaZero from '../../server/methods/dana-zero.ts';
import gba from '../../server/methods/gba.ts';
import ssgd from '../../server/methods/ssgd.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { Driver, RUN, tinyRun } from './driver.ts';

const long = { leases: { softMinMs: 3_600_000 } };
const driverOf = (config: Record<string, unknown> = {}, method: Method = asgd): Driver =>
  new Driver(tinyRun(method, { config }));
/** One shard of two batches, gone through once. */
const ending = (config: Record<string, unknown> = {}): Driver =>
  new Driver(tinyRun(asgd, { shards: [8], config: { epochs: 1, ...config } }));
const heartbeat = (driver: Driver, worker: string): void => {
  driver.send({ type: 'status', run: RUN, worker: asWorkerId(worker), state: 'training' });
};

describe('a worker whose connection is closed', () => {
  it('[H8] is asleep at once, is not counted, and keeps its leases; its push is taken in', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.away('a');
    expect(driver.row('a')).toMatchObject({ state: 'asleep', leases: 1 });
    expect(driver.summary().workers).toBe(1);
    driver.advance(14_000);
    expect(driver.push('a', held)).toMatchObject({ outcome: 'applied', version: 1 });
    expect(driver.row('a').state).toBe('asleep'); // the push may have been under way when the connection was closed
  });

  it('[H8] [P14] a partition of 30 s costs no step: the push is taken in until the hard deadline', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.away('a');
    driver.advance(30_000);
    driver.back('a', held);
    driver.advance(29_999);
    expect(driver.push('a', held).outcome).toBe('applied');
    const late = driver.lease('b');
    driver.away('b');
    driver.advance(60_000);
    expect(driver.push('b', late)).toMatchObject({ outcome: 'rejected', reason: 'expired-lease' });
  });

  it('[C8] [H8] is not waited for when the coordinator ends', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = [driver.lease('a'), driver.lease('b')];
    expect(driver.coordinator.awaited()).toBe(2);
    driver.away('a');
    expect(driver.coordinator.awaited()).toBe(1);
    driver.back('a', held[0]!);
    expect(driver.coordinator.awaited()).toBe(2);
  });

  it('[H8] is here again when it says hello, pulls or reports', () => {
    const acts = [(d: Driver) => d.join('a'), (d: Driver) => d.ask('a'), (d: Driver) => heartbeat(d, 'a')];
    for (const act of acts) {
      const driver = driverOf();
      driver.join('a');
      driver.away('a');
      expect(driver.summary().workers).toBe(0);
      act(driver);
      expect(driver.row('a').state).toBe('training');
      expect(driver.summary().workers).toBe(1);
    }
  });

  it('[H2] is gone after 90 s of silence, and its leases come back', () => {
    const driver = driverOf({ ...long });
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.away('a');
    for (let i = 0; i < 10; i++) {
      driver.advance(9_100);
      heartbeat(driver, 'b');
    }
    driver.advance(1_000);
    expect(driver.row('a')).toMatchObject({ state: 'gone', leases: 0 });
    expect(driver.lease('b').lease.batches).toEqual(held.lease.batches);
    expect(driver.push('a', held)).toMatchObject({ reason: 'unknown-lease' });
  });

  it('[H8] what the method remembers of it stays while it is away, and goes when it is gone', () => {
    const driver = driverOf({ ...long }, danaZero);
    driver.join('a', 'b');
    driver.push('a', driver.lease('a'));
    const withIts = driver.lease('b').params;
    driver.away('a');
    expect(driver.lease('b').params).toEqual(withIts); // θ̂ = θ − ηγ Σⱼ vʲ
    driver.leave('a');
    driver.join('c');
    expect(driver.lease('c').params).not.toEqual(withIts);
  });

  it('[H3] [H8] its open pull is answered: it holds no place in the line', () => {
    const driver = driverOf();
    driver.join('a');
    driver.operate('pause');
    const request = driver.ask('a');
    driver.away('a');
    expect(driver.answers.get(request)?.reply.next).toMatchObject({ kind: 'wait', reason: 'paused' });
    driver.operate('resume');
    expect(driver.row('a').leases).toBe(0);
  });

  it('[H8] at most as many are away as the run takes: the one away for longest is gone', () => {
    const driver = driverOf({ workersMax: 2 });
    for (const worker of ['a', 'b', 'c']) {
      driver.join(worker);
      driver.advance(100);
      driver.away(worker);
      driver.advance(100);
    }
    expect(['a', 'b', 'c'].map((worker) => driver.row(worker).state)).toEqual(['gone', 'asleep', 'asleep']);
    expect(driver.coordinator.refusal(RUN)).toBeNull();
  });
});

describe('the work of a worker that is away', () => {
  it('[H9] [P1] is issued again when it is overdue, while there is other work', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.away('a');
    const other = driver.lease('b');
    expect(other.lease.batches).not.toEqual(held.lease.batches);
    driver.push('b', other);
    driver.advance(14_999);
    const still = driver.lease('b');
    expect(still.lease.batches).not.toEqual(held.lease.batches);
    driver.advance(1);
    expect(driver.lease('b').lease.batches).toEqual(held.lease.batches);
  });

  it('[H9] is issued again at once when there is no other, once; whoever lands it first is counted', () => {
    const driver = ending();
    driver.join('a', 'b', 'c');
    const held = driver.lease('a');
    driver.push('b', driver.lease('b'));
    const waiting = driver.ask('b');
    expect(driver.answers.has(waiting)).toBe(false);
    driver.away('a');
    const again = driver.answers.get(waiting)!.held!;
    expect(again.lease.batches).toEqual(held.lease.batches);
    expect(driver.pull('c')).toBeNull(); // b has it now
    expect(driver.push('a', held).outcome).toBe('applied');
    expect(driver.summary()).toMatchObject({ status: 'finished', samples: 8 });
    expect(driver.push('b', again)).toMatchObject({ outcome: 'rejected' });
  });

  it('[H9] is issued once more when the one who got it is away too', () => {
    const driver = ending();
    driver.join('a', 'b', 'c');
    const held = driver.lease('a');
    driver.push('b', driver.lease('b'));
    driver.away('a');
    driver.lease('b');
    driver.away('b');
    const third = driver.lease('c');
    expect(third.lease.batches).toEqual(held.lease.batches);
    expect(driver.push('c', third).outcome).toBe('applied');
    expect(driver.summary()).toMatchObject({ status: 'finished', samples: 8 });
  });

  it('[H9] is not issued again when the worker was back before anybody asked', () => {
    const driver = ending();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.away('a');
    driver.back('a', held);
    driver.push('b', driver.lease('b'));
    expect(driver.pull('b')).toBeNull();
    expect(driver.push('a', held).outcome).toBe('applied');
    expect(driver.summary().status).toBe('finished');
  });
});

describe('rounds and gates', () => {
  const wide = (hyperparameters: Record<string, number | string>, method: Method = ssgd): Driver =>
    new Driver(tinyRun(method, { shards: [100, 100], config: { epochs: 5, ...long }, hyperparameters }));

  it('[H8] [A5] a round does not wait for one that is away, and judges its push when it comes', () => {
    const driver = wide({ quorum: 1 });
    driver.join('a', 'b');
    const [a, b] = [driver.lease('a'), driver.lease('b')];
    expect(driver.push('a', a).outcome).toBe('buffered');
    driver.away('b');
    expect(driver.summary().version).toBe(1);
    expect(driver.push('b', b)).toMatchObject({ outcome: 'rejected', reason: 'late-round' });
  });

  it('[H8] [A5] a round begins without one that is away, and waits for it again when it is back', () => {
    const driver = wide({ quorum: 1 });
    driver.join('a', 'b');
    const b = driver.lease('b');
    driver.away('b');
    const a = driver.lease('a');
    driver.back('b', b);
    expect(driver.push('a', a).outcome).toBe('buffered');
    expect(driver.push('b', b)).toMatchObject({ outcome: 'applied', version: 1 });
  });

  it('[H8] [A13] in lockstep, what one that is away holds is leased to the others', () => {
    const driver = wide({ bufferSize: 2, mode: 'sync' }, gba);
    driver.join('a', 'b', 'c');
    driver.lease('a');
    driver.lease('b');
    const waiting = driver.ask('c');
    expect(driver.answers.has(waiting)).toBe(false);
    driver.away('a');
    expect(driver.answers.get(waiting)?.held).not.toBeNull();
    expect(driver.answers.has(waiting)).toBe(true);
  });
});

describe('what a worker says it still has', () => {
  it('[S3] stays; its other leases go back at once, and make room', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const [kept, lost] = [driver.lease('a'), driver.lease('a')];
    expect(driver.pull('a')).toMatchObject({ reason: 'lease-limit' });
    driver.back('a', kept);
    expect(driver.row('a').leases).toBe(1);
    expect(driver.lease('b').lease.batches).toEqual(lost.lease.batches);
    expect(driver.push('a', kept).outcome).toBe('applied');
    expect(driver.push('a', lost)).toMatchObject({ reason: 'unknown-lease' });
  });

  it('[S3] is only ever its own', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.back('b', held);
    expect(driver.row('a').leases).toBe(1);
    expect(driver.row('b').leases).toBe(0);
  });
});
