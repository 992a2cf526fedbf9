// GBA on a live run: in lockstep or not, and from one to the other by itself as the fleet changes.

import { describe, expect, it } from 'vitest';
import { asyncBatchesPerMs, syncBatchesPerMs, type Pace } from '../../server/core/throughput.ts';
import gba from '../../server/methods/gba.ts';
import { TimeHeap } from '../../shared/heap.ts';
import { rng } from '../../shared/rng.ts';
import { Driver, gradientAt, lossAt, tinyRun, type Held } from './driver.ts';

interface Fleet {
  readonly driver: Driver;
  /** Pushes so far, by worker; and the largest lag of the latest ones. */
  readonly pushes: Map<string, number>;
  readonly lags: number[];
}

/** Four workers that compute one lease at a time; `msOf` is how long one takes at a time. */
function run(
  hyperparameters: Record<string, string | number>,
  msOf: (worker: string, nowMs: number) => number,
  untilMs: number,
): Fleet {
  const values = { learningRate: 0.01, bufferSize: 4, momentum: 0.9, ...hyperparameters };
  const driver = new Driver(tinyRun(gba, { shards: [40_000], hyperparameters: values, config: { leases: { perWorker: 1 } } })); // prettier-ignore
  const random = rng('gba');
  const fleet: Fleet = { driver, pushes: new Map(), lags: [] };
  const heap = new TimeHeap<{ worker: string; held: Held | null; request: number }>();
  const later = (worker: string, request: number): void => {
    const held = driver.answers.get(request)?.held ?? null;
    const ms = held ? msOf(worker, driver.nowMs) * (0.98 + 0.04 * random.next()) : 2;
    heap.push(driver.nowMs + ms, { worker, held, request });
  };
  driver.join('a', 'b', 'c', 'd');
  for (const worker of ['a', 'b', 'c', 'd']) later(worker, driver.ask(worker));
  while (driver.nowMs < untilMs) {
    const { atMs, item } = heap.pop()!;
    driver.advance(Math.max(0, atMs - driver.nowMs));
    const { worker, held, request } = item;
    if (!held) {
      const answer = driver.answers.get(request);
      later(worker, answer && !answer.held ? driver.ask(worker) : request);
      continue;
    }
    const { lag } = driver.push(worker, held, {
      vector: gradientAt(held.params).map((g) => g + 0.1 * random.normal()),
    });
    fleet.lags.push(lag);
    fleet.pushes.set(worker, (fleet.pushes.get(worker) ?? 0) + 1);
    later(worker, driver.ask(worker));
  }
  return fleet;
}

const total = ({ pushes }: Fleet): number => [...pushes.values()].reduce((a, b) => a + b, 0);
const even = () => 100;
const straggler = (worker: string) => (worker === 'a' ? 1000 : 100);

describe('global batch aggregation', () => {
  it('[A13] in lockstep has every gradient of the current θ, and everyone waits for the slowest', () => {
    const fleet = run({ mode: 'sync' }, straggler, 20_000);
    expect(Math.max(...fleet.lags)).toBe(0);
    expect(fleet.pushes.get('b')! / fleet.pushes.get('a')!).toBeLessThan(2);
  });

  it('without waiting keeps the update’s size, and outdoes lockstep when there is a straggler', () => {
    const free = run({ mode: 'async' }, straggler, 20_000);
    const sync = run({ mode: 'sync' }, straggler, 20_000);
    const { version, samples } = free.driver.summary();
    expect(Math.abs(version - samples / 4 / 4)).toBeLessThan(1); // batches of 4 samples, 4 batches an update
    expect(total(free)).toBeGreaterThan(2.4 * total(sync));
    expect(free.pushes.get('b')! / free.pushes.get('a')!).toBeGreaterThan(5);
    expect(lossAt(free.driver.theta())).toBeLessThan(0.05);
  });

  it('auto stays in lockstep with an even fleet', () => {
    const { driver, lags } = run({ mode: 'auto' }, even, 10_000);
    expect(driver.notes.filter((note) => note.includes('synchronous'))).toEqual([]);
    expect(Math.max(...lags)).toBe(0);
  });

  it('[A13] auto goes over when one worker slows down, and back when it recovers; θ keeps descending', () => {
    const msOf = (worker: string, nowMs: number): number => (nowMs > 5000 && nowMs < 30_000 ? straggler(worker) : 100);
    const fleet = run({ mode: 'auto' }, msOf, 60_000);
    const { driver } = fleet;
    expect(driver.notes.map((note) => /^(\w+) from its update/.exec(note)?.[1])).toEqual(['asynchronous', 'synchronous']); // prettier-ignore
    expect(Math.max(...fleet.lags.slice(0, 100))).toBe(0);
    expect(Math.max(...fleet.lags)).toBeGreaterThan(0);
    expect(Math.max(...fleet.lags.slice(-100))).toBe(0);
    expect(lossAt(driver.theta())).toBeLessThan(0.05);
  });

  it('[A13] auto goes over for one that is always past its deadline, so that its work is landed by others', () => {
    const { driver } = run({ mode: 'auto' }, (worker) => (worker === 'a' ? 20_000 : 100), 300_000);
    expect(driver.notes.some((note) => note.startsWith('asynchronous'))).toBe(true);
    expect(driver.row('a').refused.superseded).toBeGreaterThan(0);
  });

  it('[A13] auto does not go to and fro between the two thresholds', () => {
    // The straggler at 1.2: lockstep does 87 % of what goes without: below 1 − h/2 = 0.9, above 1 − h = 0.8.
    const { driver } = run({ mode: 'auto' }, (worker) => (worker === 'a' ? 120 : 100), 30_000);
    expect(driver.notes.filter((note) => note.includes('synchronous'))).toEqual([]);
  });

  it('[A13] tells the worker that its gradient is past its token, also when it asks again; the samples are counted once', () => {
    const hyperparameters = { bufferSize: 1, maxStaleness: 0 };
    const setup = tinyRun(gba, { shards: [12], config: { epochs: 1 }, hyperparameters });
    const driver = new Driver(setup);
    driver.join('slow', 'fast');
    const late = driver.lease('slow');
    driver.push('fast', driver.lease('fast'));
    const before = driver.theta();
    const told = { outcome: 'applied', reason: 'past-token', version: 2 };
    expect(driver.push('slow', late)).toMatchObject({ ...told, repeated: false });
    expect(driver.theta()).toEqual(before);
    expect(driver.push('slow', late)).toMatchObject({ ...told, repeated: true });
    expect(driver.row('slow')).toMatchObject({ pushes: 1, samples: 4, unused: 1, refused: {} });
    expect(driver.row('fast')).toMatchObject({ pushes: 1, samples: 4, unused: 0 });
    expect(driver.summary().samples).toBe(8);
    const resumed = Driver.resumed(setup, driver.snapshot(), { boot: 1 });
    resumed.back('slow');
    expect(resumed.push('slow', late)).toMatchObject({ ...told, repeated: true });
    expect(resumed.row('slow').unused).toBe(1);
    resumed.push('slow', resumed.lease('slow'));
    expect(resumed.summary()).toMatchObject({ status: 'finished', samples: 12 });
  });

  it('applies at the run’s end what was gathered of the last update', () => {
    const driver = new Driver(tinyRun(gba, { shards: [12], config: { epochs: 1 }, hyperparameters: { bufferSize: 2 } })); // prettier-ignore
    driver.join('a');
    const before = driver.theta();
    const vector = new Float32Array(6).fill(1);
    for (let i = 0; i < 3; i++) driver.push('a', driver.lease('a'), { vector });
    expect(driver.summary()).toMatchObject({ status: 'finished', samples: 12, version: 2 });
    expect(driver.theta()[0]).toBeCloseTo(before[0]! - 0.1 - 0.1, 6);
  });
});

const steady = (...ms: number[]): Pace[] => ms.map((meanMs) => ({ meanMs, spreadMs: 0 }));

describe('the throughput of a fleet', () => {
  it('without waiting is the sum of the workers’', () => {
    expect(asyncBatchesPerMs(steady(100, 100, 50))).toBeCloseTo(0.04, 12);
  });

  it('in lockstep is less for workers that are alike on average, and vary', () => {
    // A quarter as deviation: the longest of eight takes 1.37 times as long as the mean, with times of a gamma distribution.
    const paces = Array.from({ length: 8 }, () => ({ meanMs: 100, spreadMs: 25 * Math.sqrt(2 / Math.PI) }));
    expect(syncBatchesPerMs(paces, 8) / asyncBatchesPerMs(paces)).toBeCloseTo(1 / 1.38, 1);
    expect(syncBatchesPerMs(paces, 8)).toBe(syncBatchesPerMs(paces, 8));
    expect(syncBatchesPerMs(paces, 16) / asyncBatchesPerMs(paces)).toBeGreaterThan(1 / 1.38);
    const many = Array.from({ length: 2000 }, () => ({ meanMs: 100, spreadMs: 20 }));
    expect(syncBatchesPerMs(many, 2000) / asyncBatchesPerMs(many)).toBeLessThan(0.6);
  });

  it('in lockstep is by the last to finish: a batch each, several each, or a part of the workers at a time', () => {
    expect(syncBatchesPerMs(steady(100, 200, 400), 3)).toBeCloseTo(3 / 400, 12);
    expect(syncBatchesPerMs(steady(100, 210), 4)).toBeCloseTo(4 / 300, 12); // three by one, one by the other
    expect(syncBatchesPerMs(steady(100, 200, 400), 1)).toBeCloseTo(3 / 700, 12);
    expect(syncBatchesPerMs(steady(100, 200, 400), 2)).toBeCloseTo(2 / ((2 * 400 + 200) / 3), 12);
  });
});
