// Synchronous rounds: in lockstep, with a quorum and a deadline, and never stalled by one who sends rubbish.

import { describe, expect, it } from 'vitest';
import { round } from '../../server/core/gather.ts';
import type { Push } from '../../server/core/method.ts';
import ssgd from '../../server/methods/ssgd.ts';
import { Driver, gradientAt, RUN, samplesOf, tinyRun, type Held } from './driver.ts';

const nan = { vector: new Float32Array(6).fill(NaN) };
const long = { leases: { softMinMs: 3_600_000 } };

function driverOf(hyperparameters: Record<string, number> = {}, config: Record<string, unknown> = {}): Driver {
  return new Driver(tinyRun(ssgd, { shards: [100, 100], config: { epochs: 5, ...config }, hyperparameters }));
}

describe('a round', () => {
  it('[A5] is complete when all who take part have pushed: θ moves by the mean over samples', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const before = driver.theta();
    const [a, b] = [driver.lease('a'), driver.lease('b')];
    const [ga, gb] = [new Float32Array(6).fill(1), new Float32Array(6).fill(4)];
    expect(driver.push('a', a, { vector: ga })).toMatchObject({ outcome: 'buffered', version: 0 });
    expect(driver.theta()).toEqual(before);
    expect(driver.push('b', b, { vector: gb })).toMatchObject({ outcome: 'applied', version: 1 });
    const [na, nb] = [samplesOf(a.lease), samplesOf(b.lease)];
    driver.theta().forEach((value, i) => {
      expect(value).toBeCloseTo(before[i]! - (0.1 * (na * 1 + nb * 4)) / (na + nb), 6);
    });
  });

  it('[A5] keeps its workers in lockstep: one lease each a version, the next when the version moves', () => {
    const driver = driverOf();
    driver.join('a', 'b', 'c');
    const workers = ['a', 'b', 'c'];
    let held = workers.map((worker) => driver.lease(worker));
    for (let version = 0; version < 10; version++) {
      expect(held.map(({ lease }) => lease.baseVersion)).toEqual([version, version, version]);
      const early = ['a', 'b'].map((worker, i) => {
        expect(driver.push(worker, held[i]!, { wantsNext: true }).next).toMatchObject({ reason: 'gate' });
        return driver.ask(worker); // held open
      });
      expect(early.every((request) => !driver.answers.has(request))).toBe(true);
      driver.push('c', held[2]!, { wantsNext: true });
      const last = [...driver.answers.values()].find(({ held: h }) => h && h.lease.baseVersion === version + 1)!.held!;
      held = [...early.map((request) => driver.answers.get(request)!.held!), last];
    }
    expect(driver.row('a').lag.max).toBe(0);
    expect(driver.row('a').refused).toEqual({});
  });

  it('[A5] a worker with a lease of this version gets no second one, though it may hold two', () => {
    const driver = driverOf();
    driver.join('a');
    driver.lease('a');
    expect(driver.pull('a')).toBeNull();
  });

  it('[A5] does not wait for one that left, released its lease, or joined and never pulled', () => {
    const ends: ((driver: Driver, held: Held) => void)[] = [
      (driver) => driver.leave('b'),
      (driver, held) => driver.release('b', held),
    ];
    for (const end of ends) {
      const driver = driverOf({}, long);
      driver.join('a', 'b', 'c');
      const [a, b] = [driver.lease('a'), driver.lease('b')];
      expect(driver.push('a', a).outcome).toBe('buffered');
      end(driver, b);
      expect(driver.summary().version).toBe(1);
    }
  });
});

describe('a round that somebody delays', () => {
  it('[A6] ends at its deadline, counted from its first push, with at least its quorum', () => {
    const driver = driverOf({ deadlineMs: 500, quorum: 0.5 }, long);
    driver.join('a', 'b');
    const [a, b] = [driver.lease('a'), driver.lease('b')];
    driver.advance(3000);
    driver.push('a', a);
    driver.advance(499);
    expect(driver.summary().version).toBe(0);
    driver.advance(1);
    expect(driver.summary().version).toBe(1);
    expect(driver.push('b', b)).toMatchObject({ outcome: 'rejected', reason: 'late-round', lag: 1 });
    expect(driver.row('b').refused).toEqual({ 'late-round': 1 });
  });

  it('[A7] a push that comes after its round goes back to the work to be done', () => {
    const driver = driverOf({ deadlineMs: 500 }, long);
    driver.join('a', 'b');
    const [a, b] = [driver.lease('a'), driver.lease('b')];
    driver.push('a', a);
    driver.advance(500);
    driver.push('b', b);
    expect(driver.lease('a').lease.batches).toEqual(b.lease.batches);
    expect(driver.summary().samples).toBe(samplesOf(a.lease));
  });

  it('[A6] waits beyond its deadline for its quorum, without asking for ticks meanwhile', () => {
    const driver = driverOf({ deadlineMs: 500, quorum: 0.6 }, long);
    driver.join('a', 'b', 'c');
    const [a, b] = [driver.lease('a'), driver.lease('b'), driver.lease('c')];
    driver.push('a', a);
    const ticks = driver.log.length;
    driver.advance(10_000); // the driver fails on a deadline that lies in the past
    expect(driver.log.length - ticks).toBeLessThanOrEqual(12); // housekeeping, once a second
    expect(driver.summary().version).toBe(0);
    expect(driver.push('b', b)).toMatchObject({ outcome: 'applied', version: 1 });
  });

  it('[A6] does not wait for more than a soft deadline for those who take leases and never answer, be they the most', () => {
    const driver = driverOf({ deadlineMs: 500, quorum: 0.6 }, { leases: { softMinMs: 5000 } });
    driver.join('a', 'silent', 'mute', 'dumb');
    const [a] = ['a', 'silent', 'mute', 'dumb'].map((worker) => driver.lease(worker));
    driver.push('a', a!);
    driver.advance(4999);
    expect(driver.summary().version).toBe(0);
    driver.advance(1);
    expect(driver.summary().version).toBe(1);
    expect(driver.push('a', driver.lease('a'))).toMatchObject({ outcome: 'applied', version: 2 });
  });

  it('[A6] as a decision: all in, or the deadline and the quorum', () => {
    const decide = (pushes: number, outstanding: number, afterMs: number, quorum: number): boolean => {
      const gather = round(1, { quorum, deadlineMs: 100 });
      for (let i = 0; i < pushes; i++) gather.add(Float32Array.of(1), { samples: 1, nowMs: 1000 } as Push);
      return gather.ready(1000 + afterMs, { outstanding });
    };
    expect(decide(0, 0, 1e6, 0)).toBe(false); // nothing to apply
    expect(decide(1, 0, 0, 1)).toBe(true);
    expect(decide(3, 1, 99, 0.5)).toBe(false);
    expect(decide(3, 1, 100, 0.75)).toBe(true);
    expect(decide(3, 1, 100, 0.76)).toBe(false);
    expect(decide(1, 9, 1e6, 0.11)).toBe(false);
  });
});

describe('a barrier and one who sends NaN', () => {
  it('[A8] the round goes on with the others', () => {
    const driver = driverOf({ quorum: 1 }, long);
    driver.join('a', 'b', 'nan');
    for (let version = 0; version < 5; version++) {
      const [a, b, bad] = [driver.lease('a'), driver.lease('b'), driver.lease('nan')];
      expect(driver.push('nan', bad, { ...nan, wantsNext: true })).toMatchObject({ next: { reason: 'gate' } });
      driver.push('a', a);
      expect(driver.push('b', b)).toMatchObject({ outcome: 'applied', version: version + 1 });
    }
    expect(driver.row('nan').refused).toEqual({ 'not-finite': 5 });
    expect(driver.theta().every(Number.isFinite)).toBe(true);
  });

  it('[A8] last: the others’ pushes are applied at once, and it joins the next round, not the old one', () => {
    const driver = driverOf({ quorum: 1 }, long);
    driver.join('a', 'nan');
    const [a, bad] = [driver.lease('a'), driver.lease('nan')];
    driver.push('a', a);
    expect(driver.push('nan', bad, { ...nan, wantsNext: true })).toMatchObject({
      version: 1,
      next: { kind: 'lease', lease: { baseVersion: 1 } },
    });
  });

  it('[A8] alone: it may go on failing, and a good worker that joins makes the round', () => {
    const driver = driverOf({ quorum: 1 }, long);
    driver.join('nan', 'good');
    for (let i = 0; i < 5; i++) driver.push('nan', driver.lease('nan'), nan);
    const good = driver.lease('good');
    expect(driver.push('good', good)).toMatchObject({ outcome: 'applied', version: 1 });
  });

  it('[A8] that always holds a lease cannot keep out one whose lease expired', () => {
    const driver = driverOf({ quorum: 1 }, { leases: { softMinMs: 1000 } });
    driver.join('asleep', 'nan');
    driver.lease('asleep');
    driver.advance(4000); // its lease expires: nobody is left in the round
    let bad = driver.lease('nan');
    for (let i = 0; i < 3; i++) {
      driver.push('nan', bad, { ...nan, wantsNext: true });
      bad = [...driver.answers.values()].at(-1)!.held!;
    }
    const back = driver.lease('asleep');
    driver.push('nan', bad, nan);
    expect(driver.push('asleep', back)).toMatchObject({ outcome: 'applied', version: 1 });
  });
});

describe('a round that nothing came of', () => {
  it.each<[string, (driver: Driver, held: Held) => void]>([
    ['released', (driver, held) => driver.release('a', held)],
    ['expired', (driver) => driver.advance(60_000)],
    ['refused', (driver, held) => void driver.push('a', held, nan)],
    ['of another number of samples', (driver, held) => void driver.push('a', held, { samples: 1 })],
    ['of a worker that left and came back', (driver) => (driver.leave('a'), driver.join('a'))],
  ])('[A8] its one lease %s: the worker may start again', (_how, end) => {
    const driver = driverOf();
    driver.join('a');
    end(driver, driver.lease('a'));
    expect(driver.push('a', driver.lease('a'))).toMatchObject({ outcome: 'applied', version: 1 });
  });

  it('[A5] one that pushed to this round may not push to it again, though others gave up', () => {
    const driver = driverOf({ quorum: 1 }, long);
    driver.join('a', 'b', 'c');
    const [a, b] = [driver.lease('a'), driver.lease('b'), driver.lease('c')];
    driver.push('a', a);
    driver.release('b', b);
    expect(driver.pull('a')).toBeNull();
  });
});

it('[A5] equals one worker’s SGD on the whole batch, when all gradients are taken at one θ', () => {
  const driver = driverOf({}, { batchSize: 25 });
  const workers = ['a', 'b', 'c', 'd'];
  driver.join(...workers);
  let expected = [...driver.theta()];
  for (let step = 0; step < 8; step++) {
    const held = workers.map((worker) => driver.lease(worker));
    held.forEach((one, i) => driver.push(workers[i]!, one));
    const g = gradientAt(expected);
    expected = expected.map((value, i) => value - 0.1 * g[i]!);
  }
  driver.theta().forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  expect(driver.summary(RUN).version).toBe(8);
});
