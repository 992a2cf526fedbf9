// A run written down and gone on with: what it was, what is void, and what is refused.

import { describe, expect, it } from 'vitest';
import type { State } from '../../server/core/state.ts';
import asgd from '../../server/methods/asgd.ts';
import danaZero from '../../server/methods/dana-zero.ts';
import fedbuff from '../../server/methods/fedbuff.ts';
import ssgd from '../../server/methods/ssgd.ts';
import { loadMethods } from '../../server/registry.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { Driver, RUN, tinyRun } from './driver.ts';
import { put } from './tree.ts';

const methods = [...(await loadMethods()).values()];

/** A run under way: `a` and `b` hold a lease each, two epochs begun. */
function underWay(method = asgd, hyperparameters = {}, config = {}): Driver {
  const driver = new Driver(tinyRun(method, { config: { epochs: 5, ...config }, hyperparameters }));
  driver.join('a', 'b');
  for (let i = 0; i < 5; i++) {
    const held = ['a', 'b'].map((worker) => [worker, driver.lease(worker)] as const);
    for (const [worker, lease] of held) driver.push(worker, lease);
    driver.advance(1100);
  }
  return driver;
}
const resume = (driver: Driver, nowMs = 5, boot?: number): Driver =>
  Driver.resumed(driver.coordinator.setup(RUN), driver.snapshot(), { nowMs, ...(boot !== undefined && { boot }) });

describe('a run that is gone on with', () => {
  it('[K4] has its workers away, and their momentum when they come back', () => {
    const driver = underWay(danaZero);
    const { state } = driver.snapshot();
    const later = resume(driver);
    expect(later.summary().workers).toBe(0);
    expect(later.row('a')).toMatchObject({ state: 'asleep', pushes: 5, samples: 18, name: 'a' });
    later.join('a');
    expect(later.row('a').state).toBe('training');
    expect(Object.keys(momenta(later))).toEqual(['a', 'b']);
    expect(momenta(later).a).toEqual((state.outer as { workers: State }).workers.a);
    for (let i = 0; i < 10; i++) {
      later.advance(9_050);
      later.send({ type: 'status', run: RUN, worker: asWorkerId('a'), state: 'training' });
    }
    later.advance(1_000);
    expect(later.row('b').state).toBe('gone');
    expect(Object.keys(momenta(later))).toEqual(['a']);
  });

  it('[K5] refuses pushes of the boot before, but for those whose outcome was written down', () => {
    const driver = underWay();
    const settled = driver.lease('a');
    const open = driver.lease('b');
    const first = driver.push('a', settled);
    const later = resume(driver, 5, 3);
    later.join('a', 'b');
    const theta = later.theta();
    expect(later.push('a', settled)).toMatchObject({ ...first, repeated: true, next: { kind: 'wait' } });
    expect(later.push('b', open)).toMatchObject({ outcome: 'rejected', reason: 'unknown-lease' });
    expect(later.theta()).toEqual(theta);
    const again = later.lease('b');
    expect(again.lease.batches).toEqual(open.lease.batches);
    expect([open.lease.id, again.lease.id]).toEqual(['lc', 'l3.1']);
    expect(later.push('b', again).outcome).toBe('applied');
  });

  it('[K5] never has a boot twice', () => {
    const driver = underWay();
    const later = resume(driver);
    later.join('a');
    expect(later.lease('a').lease.id).toBe('l1.1');
    expect(() => resume(driver, 5, 0)).toThrow('boot 0 is not the first of its number: expected 1 or more');
  });

  it('[K3] has the time of its curves and of its rounds go on where they were', () => {
    const driver = underWay(ssgd, { deadlineMs: 5000, quorum: 0.5 });
    const held = driver.lease('a');
    driver.lease('b');
    driver.push('a', held);
    driver.advance(2000);
    const [before, next] = [driver.coordinator.metrics(RUN, 0), driver.coordinator.metrics(RUN, 0).next];
    const later = resume(driver, 123_456_789);
    expect(later.coordinator.metrics(RUN, 0)).toEqual(before);
    expect(later.summary().version).toBe(driver.summary().version);
    later.join('a', 'b'); // nobody is waited for: what there is of the round makes the update
    expect(later.summary().version).toBe(driver.summary().version + 1);
    later.push('b', later.lease('b'));
    later.advance(1100);
    const { points } = later.coordinator.metrics(RUN, next);
    const last = before.points.at(-1)!;
    expect(points.length).toBeGreaterThan(0);
    for (const { timeMs, version } of points) {
      expect(timeMs).toBeGreaterThanOrEqual(last.timeMs);
      expect(timeMs).toBeLessThan(last.timeMs + 10_000);
      expect(version).toBeGreaterThan(last.version);
    }
  });

  it('[K3] [T5] asks for ticks that are due when they come, whatever its clock and the host’s', () => {
    for (const nowMs of [0, 0.1, 1234.567891, 98_765_432.12345]) {
      const driver = underWay(ssgd, { deadlineMs: 700.3, quorum: 1 });
      driver.advance(0.7);
      const later = resume(driver, nowMs);
      later.join('a', 'b', 'c');
      later.push('a', later.lease('a'));
      later.lease('b');
      later.advance(100_000.1); // the driver throws when a tick is asked for again at the same time
      expect(later.row('c').state).toBe('gone');
    }
  });

  it('[K2] begins a measurement anew that was under way, and knows the others', () => {
    const driver = underWay(asgd, {}, { evaluateEveryVersions: 4 });
    expect(driver.evaluations).toMatchObject([{ split: 'validation', version: 4 }]);
    driver.evaluated({ loss: 0.5, accuracy: 0.75 });
    expect(driver.evaluations).toMatchObject([{ version: 10 }]);
    const later = resume(driver);
    expect(later.summary()).toMatchObject({ loss: { validation: 0.5 }, accuracy: 0.75, version: 10 });
    expect(later.evaluations).toMatchObject([{ split: 'validation', version: 10, theta: driver.theta() }]);
    later.evaluated();
    expect(resume(later).evaluations).toEqual([]);
  });

  it('[K2] is paused, or ended, as it was', () => {
    const driver = underWay();
    driver.operate('pause');
    const paused = resume(driver);
    expect(paused.summary().status).toBe('paused');
    paused.join('a');
    expect(paused.controls).toMatchObject([{ kind: 'pause', worker: 'a' }]);
    driver.operate('stop');
    const ended = resume(driver);
    expect(ended.summary().status).toBe('stopped');
    expect(ended.evaluations).toMatchObject([{ split: 'validation' }]);
    ended.evaluated();
    ended.evaluated({ loss: 2, accuracy: 0.1 });
    expect(resume(ended).summary().test).toEqual({ loss: 2, accuracy: 0.1 });
    expect(resume(ended).evaluations).toEqual([]);
  });

  it('[K2] says that it goes on, and shares no memory with what was written', () => {
    const driver = underWay(fedbuff, { localSteps: 1 });
    const snapshot = driver.snapshot();
    const kept = structuredClone(snapshot.state);
    const later = Driver.resumed(driver.coordinator.setup(RUN), snapshot);
    expect(later.notes).toEqual(['the run goes on from version 1, with 38 samples counted']);
    for (const other of [driver, later]) {
      other.join('a');
      for (let i = 0; i < 12; i++) other.push('a', other.lease('a'));
    }
    expect(snapshot.state).toEqual(kept);
  });

  it.each(['constructor', '__proto__', 'toString', '7'])('[K1] has workers of any name: %s', (name) => {
    for (const method of methods) {
      const driver = new Driver(tinyRun(method, { config: { epochs: 100 }, hyperparameters: { learningRate: 0.005 } }));
      driver.join(name, 'b');
      for (let i = 0; i < 3; i++) {
        for (const worker of [name, 'b']) {
          const held = driver.answers.get(driver.ask(worker))?.held;
          if (held) driver.push(worker, held);
        }
        driver.advance(60_000);
        driver.join(name, 'b');
      }
      const snapshot = driver.snapshot();
      const later = Driver.resumed(driver.coordinator.setup(RUN), snapshot);
      expect(later.snapshot().state).toEqual(snapshot.state);
      later.join(name);
      expect(later.row(name).pushes).toBe(driver.row(name).pushes);
      expect(later.row(name).pushes).toBeGreaterThan(0);
      later.push(name, later.lease(name));
      expect(later.theta().every(Number.isFinite)).toBe(true);
      later.leave(name);
      expect(JSON.stringify(later.coordinator.snapshot(RUN, later.nowMs).state)).not.toContain(`"${name}":`);
    }
  });
});

const item = (epoch: number, shard: number, index: number): object => ({
  sequence: 1,
  epoch,
  issues: 1,
  batches: [[shard, index]],
});
describe('a snapshot that cannot be used', () => {
  it.each<[string, string, unknown]>([
    ['has facts of format 2, expected 1', 'facts.format', 2],
    ['.ledger.counted[0]: ', 'facts.ledger.counted.0', -1],
    ['.sessions: ', 'facts.sessions', undefined],
    ['.sessions.workers[1].device.backend: ', 'facts.sessions.workers.1.device.backend', 'abacus'],
    ['Unrecognized key: "more"', 'facts.more', 1],
    ['29 samples of epoch 0 in all, expected 30', 'facts.ledger.counted.0', 29],
    ['no shard 7, of 3', 'facts.ledger.returned.0', item(0, 7, 0)],
    ['no batch 0 of shard 1 in epoch 0, or twice', 'facts.ledger.returned', [item(0, 1, 0), item(0, 1, 0)]],
    ['in epoch 1, or twice', 'facts.ledger.shards.0.1', 9],
    ['6 epochs begun, of 5', 'facts.ledger.counted', [30, 0, 0, 0, 0, 0]],
    ['state.theta is a vector of 5, expected a vector of 6', 'state.theta', new Float32Array(5)],
    ['state.outer.sum is missing', 'state.outer.sum', undefined],
    ['state.outer.extra is not known', 'state.outer.extra', 1],
    ['state.outer.updates is a table, expected a number', 'state.outer.updates', {}],
    ['state.outer.workers.a is a vector of 2', 'state.outer.workers.a', new Float32Array(2)],
  ])('[K6] is refused in one sentence: %s', (sentence, path, value) => {
    const driver = underWay(danaZero);
    const snapshot = structuredClone(driver.snapshot());
    const open = () => Driver.resumed(driver.coordinator.setup(RUN), snapshot);
    expect(open).not.toThrow();
    put(snapshot, path, value);
    expect(open).toThrow('the snapshot of run "tiny"');
    expect(open).toThrow(sentence);
  });

  it('[K6] opens no run, and is of this run and this method', () => {
    const driver = underWay(danaZero);
    const snapshot = driver.snapshot();
    const coordinator = new Driver().coordinator;
    const other = tinyRun(danaZero, { id: 'other' });
    const open = (setup = driver.coordinator.setup(RUN)) => coordinator.handle({ type: 'open', setup, snapshot }, 0);
    expect(() => open(other)).toThrow('the snapshot of run "tiny" is not of run "other"');
    expect(() => open(tinyRun(asgd))).toThrow('is of the method "dana-zero", and the run is opened with "asgd"');
    expect(coordinator.has(RUN)).toBe(false);
    open();
    expect(coordinator.has(RUN)).toBe(true);
  });
});

const momentaOf = (state: State): State => (state.outer as { workers: State }).workers;
const momenta = (driver: Driver): State => momentaOf(driver.coordinator.snapshot(RUN, driver.nowMs).state);
