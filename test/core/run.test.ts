// A run from its first pull to its last evaluation.

import { describe, expect, it } from 'vitest';
import { Evaluation } from '../../server/core/evaluation.ts';
import asgd from '../../server/methods/asgd.ts';
import gapAware from '../../server/methods/gap-aware.ts';
import ssgd from '../../server/methods/ssgd.ts';
import { asRunId } from '../../shared/ids.ts';
import { Driver, lossAt, RUN, samplesOf, tinyRun } from './driver.ts';
import { train } from './fleet.ts';

/** One worker does everything that is left. */
function finish(driver: Driver, worker = 'a'): void {
  for (let next = driver.pull(worker); next?.kind === 'lease'; next = driver.pull(worker)) {
    driver.push(worker, [...driver.answers.values()].at(-1)!.held!);
  }
}

describe('to the end', () => {
  it('[D1] counts every sample of every epoch once, and then finishes', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a');
    finish(driver);
    expect(driver.summary()).toMatchObject({ status: 'finished', samples: 60, samplesPerEpoch: 30, version: 16 });
    expect(driver.coordinator.ledger(RUN)).toEqual([
      { epoch: 0, leased: 0, counted: 30 },
      { epoch: 1, leased: 0, counted: 30 },
    ]);
    expect(driver.pull('a')).toEqual({ kind: 'stop', reason: 'finished' });
    expect(driver.controls).toEqual([{ type: 'control', run: RUN, worker: 'all', kind: 'stop' }]);
  });

  it.each([asgd, gapAware, ssgd])('[D1] with eight workers that come, go and send NaN: $name', (method) => {
    const driver = new Driver(tinyRun(method, { config: { epochs: 3 } }));
    driver.join('lost', 'nan');
    driver.lease('lost');
    driver.leave('lost');
    driver.push('nan', driver.lease('nan'), { vector: new Float32Array(6).fill(NaN) });
    train(driver, { workers: 8, seed: 1, noise: 0.1 });
    expect(driver.summary()).toMatchObject({ status: 'finished', samples: 90 });
  });

  it('[E2] then θ is measured on the validation split, and once on the test set, in that order', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a');
    finish(driver);
    expect(driver.evaluations).toMatchObject([{ split: 'validation', version: 16 }]);
    expect(driver.evaluations[0]!.theta).toEqual(driver.theta());
    driver.evaluated({ loss: 0.5, accuracy: 0.8 });
    expect(driver.evaluations).toMatchObject([{ split: 'test', version: 16 }]);
    driver.evaluated({ loss: 0.6, accuracy: 0.7 });
    for (let i = 0; i < 3; i++) driver.send({ type: 'tick' });
    expect(driver.evaluations).toEqual([]);
    expect(driver.summary()).toMatchObject({
      loss: { validation: 0.5 },
      accuracy: 0.8,
      test: { loss: 0.6, accuracy: 0.7 },
    });
  });

  it('[E2] one that was under way at the end is waited for, and the last version is measured after it', () => {
    const driver = new Driver(tinyRun(asgd, { config: { evaluateEveryVersions: 15 } }));
    driver.join('a');
    finish(driver);
    expect(driver.evaluations.map(({ version }) => version)).toEqual([15]);
    driver.evaluated();
    expect(driver.evaluations).toMatchObject([{ split: 'validation', version: 16 }]);
  });

  it('[E2] a version that was measured already is not measured again', () => {
    const driver = new Driver(tinyRun(asgd, { config: { evaluateEveryVersions: 16 } }));
    driver.join('a');
    finish(driver);
    driver.evaluated();
    expect(driver.evaluations).toMatchObject([{ split: 'test' }]);
  });

  it('[A5] what a round has counted is in θ when the run ends before the round is full', () => {
    // the fast worker does the last work twice over: its copy of the slow one's lease is still out when all is counted
    const driver = new Driver(tinyRun(ssgd, { shards: [4], config: { epochs: 1, leases: { softMinMs: 1000 } } }));
    driver.join('slow', 'fast');
    const slow = driver.lease('slow');
    driver.advance(1000);
    driver.lease('fast');
    const before = driver.theta();
    expect(driver.push('slow', slow)).toMatchObject({ outcome: 'buffered', version: 1 });
    expect(driver.summary()).toMatchObject({ status: 'finished', version: 1, samples: 4 });
    expect(driver.theta()).not.toEqual(before);
  });
});

describe('evaluation', () => {
  it('[E1] is due every so many versions, one at a time, skipping what came while one was under way', () => {
    const evaluation = new Evaluation(10);
    expect(evaluation.next(9, false)).toBeNull();
    expect(evaluation.next(10, false)).toBe('validation');
    expect(evaluation.next(35, false)).toBeNull(); // under way
    evaluation.done('validation', { loss: 1, accuracy: 0 });
    expect(evaluation.next(35, false)).toBe('validation');
    evaluation.done('validation', { loss: 1, accuracy: 0 });
    expect(evaluation.next(44, false)).toBeNull();
    expect(evaluation.next(45, false)).toBe('validation');
  });

  it('[E3] that fails is tried again when it is due, and three failures in a row end it', () => {
    const evaluation = new Evaluation(10);
    for (const version of [10, 20, 30]) {
      expect(evaluation.next(version, false)).toBe('validation');
      evaluation.failed();
      expect(evaluation.next(version + 9, false)).toBeNull();
    }
    expect(evaluation.next(40, false)).toBeNull();
    expect(evaluation.next(40, true)).toBeNull();
  });

  it('[E3] of the last version that fails is tried again at once, before the test set', () => {
    const evaluation = new Evaluation(10);
    expect(evaluation.next(7, true)).toBe('validation');
    evaluation.failed();
    expect(evaluation.next(7, true)).toBe('validation');
    evaluation.done('validation', { loss: 1, accuracy: 0.5 });
    expect(evaluation.next(7, true)).toBe('test');
    evaluation.failed();
    expect(evaluation.next(7, true)).toBe('test');
    evaluation.done('test', { loss: 1, accuracy: 0.5 });
    expect(evaluation.next(7, true)).toBeNull();
  });

  it('[E1] happens on a copy of θ, also while the run is paused', () => {
    const driver = new Driver(tinyRun(asgd, { config: { evaluateEveryVersions: 1 } }));
    driver.join('a');
    const held = driver.lease('a');
    const second = driver.lease('a');
    driver.operate('pause');
    driver.push('a', held);
    const { theta } = driver.evaluations[0]!;
    const copy = theta.slice();
    driver.push('a', second);
    expect(theta).toEqual(copy);
    expect(driver.theta()).not.toEqual(copy);
  });
});

describe('several runs', () => {
  it('[S4] do not touch each other', () => {
    const alone = new Driver(tinyRun(asgd, { id: 'one' }));
    const both = new Driver(tinyRun(asgd, { id: 'one' }), tinyRun(gapAware, { id: 'two', config: { seed: 9 } }));
    const [one, two] = [asRunId('one'), asRunId('two')];
    for (const driver of [alone, both]) {
      driver.send({
        type: 'join',
        run: one,
        worker: 'a' as never,
        name: 'a',
        device: { backend: 'cpu', adapter: '', fallback: false, tried: [] },
      });
    }
    both.send({
      type: 'join',
      run: two,
      worker: 'a' as never,
      name: 'a',
      device: { backend: 'cpu', adapter: '', fallback: false, tried: [] },
    });
    for (let i = 0; i < 6; i++) {
      alone.push('a', alone.lease('a', one), {}, one);
      both.push('a', both.lease('a', one), {}, one);
      both.push('a', both.lease('a', two), { vector: new Float32Array(6).fill(i === 2 ? NaN : 1) }, two);
    }
    expect(both.theta(one)).toEqual(alone.theta(one));
    expect(both.summary(one)).toEqual(alone.summary(one));
    expect(both.summary(two).version).toBe(5);
    const stray = both.lease('a', two);
    expect(both.push('a', stray, {}, one)).toMatchObject({ outcome: 'rejected' });
    both.operate('stop', two);
    expect(both.summary(one).status).toBe('running');
    expect(both.pull('a', one)?.kind).toBe('lease');
  });
});

describe('versions', () => {
  it('[T1] θ begins as the seed says', () => {
    const theta = (seed: number): Float32Array => new Driver(tinyRun(asgd, { config: { seed } })).theta();
    expect(theta(5)).toEqual(theta(5));
    expect(theta(5)).not.toEqual(theta(6));
  });

  it('[T2] every update raises the version by one, and a lease says which one it was made from', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a', 'b');
    const stale = driver.lease('b');
    for (let version = 0; version < 5; version++) {
      const held = driver.lease('a');
      expect(held.lease.baseVersion).toBe(version);
      expect(driver.push('a', held).version).toBe(version + 1);
    }
    expect(driver.push('b', stale)).toMatchObject({ lag: 5, version: 6 });
  });

  it('[T3] the gap is the root mean square of θ − the vector that was sent', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a', 'b');
    const stale = driver.lease('b');
    driver.push('a', driver.lease('a'));
    const theta = driver.theta();
    const squares = stale.params.reduce((sum, sent, i) => sum + (theta[i]! - sent) ** 2, 0);
    expect(driver.push('b', stale).gap).toBeCloseTo(Math.sqrt(squares / 6), 12);
    expect(driver.row('b').gap.last).toBeCloseTo(Math.sqrt(squares / 6), 12);
  });

  it('[T3] with f16 parameters the gap counts from what the worker really has', () => {
    const driver = new Driver(tinyRun(asgd, { config: { codec: { params: 'f16', push: 'f32' } } }));
    driver.join('a');
    const held = driver.lease('a');
    const squares = held.params.reduce((sum, sent, i) => sum + (driver.theta()[i]! - sent) ** 2, 0);
    expect(squares).toBeGreaterThan(0);
    expect(driver.push('a', held)).toMatchObject({ lag: 0, gap: Math.sqrt(squares / 6) });
  });

  it('[T5] training goes down, and the same fleet leaves the same bits', () => {
    const run = (): Driver => {
      const driver = new Driver(tinyRun(gapAware, { shards: [400, 300], config: { epochs: 3 } }));
      train(driver, { workers: 5, seed: 3, noise: 0.05 });
      return driver;
    };
    const [first, second] = [run(), run()];
    expect(first.theta()).toEqual(second.theta());
    expect(lossAt(first.theta())).toBeLessThan(0.01);
    expect(first.summary()).toMatchObject({ samples: 2100, status: 'finished' });
    const counted = [...first.answers.values()].filter(
      ({ reply }) => 'outcome' in reply && reply.outcome !== 'rejected',
    );
    expect(first.summary().version).toBe(counted.length);
    expect(samplesOf(first.answers.get(1)!.held!.lease)).toBe(4);
  });
});
