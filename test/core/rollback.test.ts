// Back to the last good state: when, to what, how often, and what it does not touch.

import { describe, expect, it } from 'vitest';
import { ROLLBACKS_MAX } from '../../server/core/rollback.ts';
import { Run } from '../../server/core/run.ts';
import asgd from '../../server/methods/asgd.ts';
import danaZero from '../../server/methods/dana-zero.ts';
import gapAware from '../../server/methods/gap-aware.ts';
import type { Method } from '../../server/core/method.ts';
import { loadMethods } from '../../server/registry.ts';
import { NO_DEFENCES } from '../../shared/config.ts';
import { Driver, gradientAt, RUN, tinyRun } from './driver.ts';

const methods = [...(await loadMethods()).values()];

/** θ is measured after every fourth version. */
const guarded = (method: Method = asgd, config: Record<string, unknown> = {}): Driver => {
  const defences = { ...NO_DEFENCES, rollback: 1.5 };
  const all = { epochs: 2000, evaluateEveryVersions: 4, defences, ...config };
  const driver = new Driver(tinyRun(method, { config: all, hyperparameters: { learningRate: 0.005 } }));
  driver.join('a', 'b');
  return driver;
};
const loss = (value: number): { loss: number; accuracy: number } => ({ loss: value, accuracy: 0.5 });

/** Trains until there is a measurement to be answered. */
function toMeasurement(driver: Driver, workers = ['a', 'b']): void {
  for (let i = 0; driver.evaluations.length === 0; i++) {
    if (i > 1000) throw new Error('no measurement is asked for');
    for (const worker of workers) {
      const held = driver.answers.get(driver.ask(worker))?.held;
      if (held) driver.push(worker, held, { vector: gradientAt(held.params).map(Math.tanh) });
    }
    driver.advance(10);
  }
}
const stateOf = (driver: Driver) => {
  const { good, ...state } = driver.coordinator.snapshot(RUN, driver.nowMs).state;
  expect(good).toBeDefined();
  return state;
};

describe('a run that goes wrong', () => {
  it('[K7] measures θ at its beginning', () => {
    const driver = guarded();
    expect(driver.evaluations).toMatchObject([{ version: 0, split: 'validation', theta: driver.theta() }]);
  });

  it('[K7] measures it every 50 versions while it is young, then as often as is asked', () => {
    const driver = guarded(asgd, { evaluateEveryVersions: 200 });
    const measured: number[] = [];
    while (measured.length < 7) {
      toMeasurement(driver);
      measured.push(driver.evaluations[0]!.version);
      driver.evaluated(loss(1));
    }
    expect(measured).toEqual([0, 50, 100, 150, 200, 400, 600]);
  });

  it.each(methods)('[K7] [K8] goes back to the state of its last fine measurement: $name', (method) => {
    const driver = guarded(method);
    driver.evaluated(loss(2));
    toMeasurement(driver);
    const good = { state: stateOf(driver), samples: driver.summary().samples, version: driver.summary().version };
    const theta = driver.theta();
    driver.evaluated(loss(1));
    toMeasurement(driver);
    const before = driver.summary();
    expect(driver.theta()).not.toEqual(theta);
    driver.notes.length = 0;
    driver.evaluated(loss(1.51));
    const after = driver.summary();
    expect(after).toMatchObject({
      version: before.version + 1,
      samples: good.samples,
      rollbacks: 1,
      status: 'running',
    });
    expect(driver.theta()).toEqual(theta);
    expect(stateOf(driver)).toEqual(good.state);
    expect(driver.notes).toEqual([
      `a validation loss of 1.51 is more than 1.5 times the 1.00 from before: from version ${before.version} back to version ${good.version}, as version ${before.version + 1}`,
    ]);
  });

  it('[K7] compares with the lowest of the last three, and not when it is fine', () => {
    const driver = guarded();
    const measured = [2, 1, 1.4, 1.45, 1.45, 2.05];
    for (const value of measured) {
      toMeasurement(driver);
      driver.evaluated(loss(value));
    }
    expect(driver.summary().rollbacks).toBe(0); // the 1 was too long ago
    toMeasurement(driver);
    driver.evaluated(loss(2.2));
    expect(driver.summary().rollbacks).toBe(1);
    expect(driver.notes.at(-1)).toContain('1.5 times the 1.45 from before');
  });

  it.each([NaN, Infinity])('[K7] [R1] goes back to its beginning when the first loss is %s', (value) => {
    const driver = guarded();
    driver.evaluated(loss(value));
    expect(driver.summary()).toMatchObject({ rollbacks: 1, version: 1, loss: { validation: null } });
    toMeasurement(driver);
    driver.evaluated(loss(value));
    expect(driver.summary()).toMatchObject({ rollbacks: 2, samples: 0, loss: { validation: null } });
    expect(driver.theta()).toEqual(guarded().theta());
  });

  it('[K7] counts every sample of every epoch once, after it, and takes no push from before it', () => {
    const driver = guarded(asgd, { epochs: 3 });
    driver.evaluated(loss(1));
    toMeasurement(driver);
    driver.evaluated(loss(1));
    toMeasurement(driver);
    const open = driver.lease('a');
    driver.evaluated(loss(9));
    expect(driver.coordinator.awaited()).toBe(0);
    expect(driver.push('a', open)).toMatchObject({ outcome: 'rejected', reason: 'unknown-lease' });
    for (let i = 0; driver.summary().status === 'running'; i++) {
      if (i > 200) throw new Error('the run does not end');
      for (const worker of ['a', 'b']) {
        const held = driver.answers.get(driver.ask(worker))?.held;
        if (held) driver.push(worker, held);
      }
      if (driver.evaluations.length > 0) driver.evaluated(loss(0.9));
      driver.advance(20_000); // leases that nobody answers are overdue
      driver.join('a', 'b');
    }
    expect(driver.coordinator.ledger(RUN)).toEqual([0, 1, 2].map((epoch) => ({ epoch, leased: 0, counted: 30 })));
  });

  it('[K7] remembers nobody who left in between', () => {
    const driver = guarded(danaZero);
    driver.evaluated(loss(1));
    toMeasurement(driver);
    driver.evaluated(loss(1));
    driver.leave('b');
    driver.join('c');
    driver.push('c', driver.lease('c'));
    toMeasurement(driver, ['a', 'c']);
    driver.evaluated(loss(3));
    const { outer } = stateOf(driver) as { outer: { workers: object; sum: Float32Array } };
    expect(Object.keys(outer.workers)).toEqual(['a']);
    const { a } = outer.workers as { a: Float32Array };
    outer.sum.forEach((value, i) => expect(value).toBeCloseTo(a[i]!, 6));
  });

  it('[K8] that has ended goes back with θ alone, and is measured again', () => {
    const driver = guarded(asgd, { epochs: 1 });
    toMeasurement(driver);
    driver.evaluated(loss(1));
    toMeasurement(driver);
    const theta = driver.theta();
    driver.evaluated(loss(1));
    for (const worker of ['a', 'b', 'a', 'b']) driver.push(worker, driver.lease(worker));
    expect(driver.summary()).toMatchObject({ status: 'finished', version: 8, samples: 30 });
    driver.evaluated(loss(2));
    expect(driver.summary()).toMatchObject({ status: 'finished', version: 9, samples: 30, rollbacks: 1 });
    expect(driver.theta()).toEqual(theta);
    expect(driver.evaluations).toMatchObject([{ split: 'validation', version: 9, theta }]);
    driver.evaluated(loss(1));
    expect(driver.evaluations).toMatchObject([{ split: 'test', theta }]);
    driver.evaluated(loss(1));
    expect(driver.evaluations).toEqual([]);
  });

  it('[K9] and cannot be measured at its end stops trying', () => {
    const driver = guarded(asgd, { epochs: 1 });
    driver.operate('stop');
    for (let i = 0; i < 30 && driver.evaluations.length > 0; i++) driver.evaluated(loss(NaN));
    expect(driver.evaluations).toEqual([]);
    expect(driver.notes.at(-1)).toContain('no state to go back to is any better');
  });

  it('[K9] is paused when going back does not help, and tries again on resume', () => {
    const driver = guarded();
    driver.evaluated(loss(1));
    for (let i = 1; i <= ROLLBACKS_MAX; i++) {
      expect(driver.summary().status).toBe('running');
      toMeasurement(driver);
      driver.evaluated(loss(5));
      expect(driver.summary().rollbacks).toBe(i);
    }
    expect(driver.summary().status).toBe('paused');
    expect(driver.controls.at(-1)).toMatchObject({ worker: 'all', kind: 'pause' });
    expect(driver.notes.at(-1)).toBe(
      'the run is paused: it was rolled back 5 times without a better loss than before; lower the learning rate or ban who spoils it, then resume',
    );
    driver.operate('resume');
    toMeasurement(driver);
    driver.evaluated(loss(5));
    expect(driver.summary()).toMatchObject({ status: 'running', rollbacks: ROLLBACKS_MAX + 1 });
  });

  it('[K9] forgets roll-backs once it is better than ever', () => {
    const driver = guarded();
    for (const value of [1, 5, 5, 5, 0.9, 5, 5, 5]) {
      toMeasurement(driver);
      driver.evaluated(loss(value));
    }
    expect(driver.summary()).toMatchObject({ status: 'running', rollbacks: 6 });
  });

  it('[K10] goes on when roll-back is off, with no copy and no measurement at the beginning', () => {
    const driver = guarded(asgd, { defences: NO_DEFENCES });
    expect(driver.evaluations).toEqual([]);
    for (const value of [1, 100, NaN]) {
      toMeasurement(driver);
      driver.evaluated(loss(value));
    }
    expect(driver.summary()).toMatchObject({ rollbacks: 0, status: 'running', version: 12 });
    expect(driver.coordinator.snapshot(RUN, 0).state).not.toHaveProperty('good');
  });

  it('[K11] goes back with θ alone when the method was changed, and the memory begins empty', () => {
    const driver = guarded(danaZero);
    toMeasurement(driver);
    driver.evaluated(loss(1));
    toMeasurement(driver);
    const theta = driver.theta();
    const { samples } = driver.summary();
    driver.evaluated(loss(1));
    const { weightDecay, schedule } = driver.coordinator.setup(RUN).config.method;
    const config = { name: 'gap-aware', learningRate: 0.005, weightDecay, schedule };
    driver.send({ type: 'method', run: RUN, method: gapAware, config });
    const later = Driver.resumed(driver.coordinator.setup(RUN), driver.snapshot());
    later.join('a', 'b');
    for (const one of [driver, later]) {
      toMeasurement(one);
      one.evaluated(loss(4));
      expect(one.theta()).toEqual(theta);
      expect(one.summary()).toMatchObject({ rollbacks: 1, samples, method: 'gap-aware' });
      const { outer, correct } = stateOf(one) as { outer: { velocity: Float32Array }; correct: { updates: number } };
      expect([...outer.velocity, correct.updates]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    }
  });

  it('[K11] keeps θ alone of a memory that is too large to be copied', () => {
    const run = new Run({ setup: tinyRun(danaZero) }, 0);
    expect(run.copy(12).aggregator.state).toEqual(run.copy().aggregator.state);
    expect(run.copy(11).aggregator.state).toEqual({ theta: run.aggregator.theta });
  });

  it('[K7] [K1] goes back to the same state after a restart', () => {
    const driver = guarded(danaZero);
    for (const value of [1, 0.9]) {
      toMeasurement(driver);
      driver.evaluated(loss(value));
    }
    for (let i = 0; i < 3; i++) driver.push('a', driver.lease('a'));
    const later = Driver.resumed(driver.coordinator.setup(RUN), driver.snapshot(), { nowMs: 1e6 });
    later.join('a', 'b');
    for (const one of [driver, later]) {
      toMeasurement(one);
      one.evaluated(loss(1.4));
    }
    expect(later.summary()).toMatchObject({ rollbacks: 1 });
    expect(later.theta()).toEqual(driver.theta());
    const { version, samples, rollbacks } = driver.summary();
    expect(later.summary()).toMatchObject({ version, samples, rollbacks });
    expect(stateOf(later)).toEqual(stateOf(driver));
  });

  it('[K7] is not judged by a measurement that failed', () => {
    const driver = guarded();
    driver.evaluated(loss(1));
    toMeasurement(driver);
    driver.evaluations.shift();
    driver.send({ type: 'evaluation-failed', run: RUN, split: 'validation' });
    toMeasurement(driver);
    driver.evaluated(loss(4));
    expect(driver.summary()).toMatchObject({ rollbacks: 1, samples: 0 });
  });
});
