// What a gather and an outer optimizer are told beside the vector: how far its worker is trusted, the inner learning rate of
// its lease, and how many workers there are.

import { describe, expect, it } from 'vitest';
import { methodSchema } from '../../shared/config.ts';
import { rng } from '../../shared/rng.ts';
import { Aggregator } from '../../server/core/aggregator.ts';
import { krum } from '../../server/core/combine.ts';
import type { Guard, Weight } from '../../server/core/method.ts';
import asyncLocalSgd from '../../server/methods/async-local-sgd.ts';
import easgd from '../../server/methods/easgd.ts';
import fedbuff from '../../server/methods/fedbuff.ts';
import slowmo from '../../server/methods/slowmo.ts';
import { Driver, tinyRun, type Held } from './driver.ts';

const alone = { outstanding: 0 };

describe('what a push counts for, where pushes are compared', () => {
  const random = rng('newcomers');
  const DIM = 8;
  const noisy = (): Float32Array => Float32Array.from({ length: DIM }, () => 1 + 2 * random.normal());
  /** One update of a buffer by the rule, each push with its own weight. */
  function update(robust: string, pushes: readonly Float32Array[], weights: readonly Weight[]): number[] {
    let next = 0;
    const guard: Guard = { weigh: () => weights[next++]!, reset: () => undefined };
    const values = { bufferSize: pushes.length, outerLearningRate: 1, outerMomentum: 0 };
    const config = methodSchema.parse({ name: 'any', learningRate: 0.5, ...values, robust, clipRadius: 1000 });
    const aggregator = new Aggregator({ method: fedbuff, config, theta: new Float32Array(DIM), samplesPerEpoch: 10, guard }); // prettier-ignore
    const sent = aggregator.pull('a');
    pushes.forEach((vector, i) => {
      aggregator.push({ worker: `w${i}`, sent, vector: vector.slice(), samples: 1, nowMs: 0 }, alone);
    });
    expect(aggregator.version).toBe(1);
    return Array.from(aggregator.theta, (x) => -x);
  }
  const close = (actual: readonly number[], expected: ArrayLike<number>): void => {
    actual.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 4));
  };
  const scaled = (vector: ArrayLike<number>, by: number): number[] => Array.from(vector, (x) => by * x);
  const trusted = { clip: 1, trust: 1 };
  const newcomer = { clip: 1, trust: 0.2 };
  const nobody = { clip: 1, trust: 0 };

  it('[G10] Krum does not prefer newcomers for being scaled down, and its choice counts what its worker does', () => {
    const weights = [newcomer, nobody, trusted, trusted, trusted, trusted, trusted, trusted];
    const chosen: number[] = [];
    for (let trial = 0; trial < 40; trial++) {
      const pushes = weights.map(noisy);
      const heard = pushes.filter((_, i) => weights[i] !== nobody);
      const choice = heard[krum(heard, 1)]!;
      const at = pushes.indexOf(choice);
      chosen.push(at);
      close(update('krum', pushes, weights), scaled(choice, weights[at]!.trust));
    }
    // One in seven by chance. Of vectors a fifth as long, or of zeros, it would be nearly all.
    expect(chosen.filter((at) => at < 2).length).toBeLessThan(12);
    expect(chosen).toContain(0);
    const short = [0.2, 1, 1, 1, 1, 1, 1].map((by) => Float32Array.from(scaled(noisy(), by)));
    expect(krum(short, 1)).toBe(0);
  });

  it('[G10] a median and a trimmed mean hear everyone in full, and are scaled by the mean of what they count for', () => {
    const pushes = [5, 1, 2, 3, -100].map((value) => new Float32Array(DIM).fill(value));
    const weights = [newcomer, trusted, trusted, trusted, nobody];
    for (const robust of ['median', 'trimmed-mean']) close(update(robust, pushes, weights), Array(DIM).fill(2.5 * 0.8));
  });

  it('[G10] centered clipping moves less for who is trusted less', () => {
    const pushes = [5, 1, 100].map((value) => new Float32Array(DIM).fill(value));
    close(update('centered-clipping', pushes, [newcomer, trusted, nobody]), Array(DIM).fill((0.2 * 5 + 1) / 2));
  });

  it('[G1] [G10] what is too long is clipped before it is compared; a mean has both factors', () => {
    const pushes = [4, 1, 2].map((value) => new Float32Array(DIM).fill(value));
    const clipped = { clip: 0.5, trust: 0.5 };
    close(update('median', pushes, [clipped, trusted, trusted]), Array(DIM).fill((2 * 2.5) / 3));
    close(update('mean', pushes, [clipped, trusted, nobody]), Array(DIM).fill((0.25 * 4 + 1) / 3));
  });
});

describe('the inner learning rate of a round', () => {
  const inner = { localSteps: 2, outerLearningRate: 1, outerMomentum: 0.5 };
  const slow = (decay: object, epochs = 2): Driver => {
    const method = { name: 'slowmo', learningRate: 0.1, schedule: { decay }, ...inner };
    const driver = new Driver(tinyRun(slowmo, { shards: [16], config: { method, epochs, leases: { perWorker: 1 } } }));
    driver.join('a', 'b');
    return driver;
  };
  const rateOf = ({ lease }: Held): number => (lease.work.kind === 'local' ? lease.work.learningRate : NaN);
  /** A round of both workers' leases: their rates, and θ afterwards. */
  function round(driver: Driver, value: number): { rates: number[]; theta: number } {
    const held = ['a', 'b'].map((worker) => driver.lease(worker));
    const vector = new Float32Array(6).fill(value);
    for (const [i, one] of held.entries()) {
      expect(driver.push('ab'[i]!, one, { vector }).outcome).toBe(i === 0 ? 'buffered' : 'applied');
    }
    return { rates: held.map(rateOf), theta: driver.theta()[0]! };
  }

  it('[A18] is what slow momentum is measured in, though the schedule steps inside an epoch', () => {
    const driver = slow({ kind: 'step', epochs: [0.5], factor: 0.1 });
    const start = driver.theta()[0]!;
    const first = round(driver, 0.3);
    const second = round(driver, 0.2);
    expect(first.rates).toEqual([0.1, expect.closeTo(0.01, 12)]);
    expect(second.rates).toEqual([expect.closeTo(0.01, 12), expect.closeTo(0.01, 12)]);
    expect(start - first.theta).toBeCloseTo(0.3, 6); // γ(Δ/γ)
    const u = 0.5 * (0.3 / 0.055) + 0.2 / 0.01;
    expect(first.theta - second.theta).toBeCloseTo(0.01 * u, 6);
  });

  it('[A18] of 0 moves nothing, and no part of it is divided by 0', () => {
    const driver = slow({ kind: 'step', epochs: [1], factor: 0 }, 3);
    const { theta } = round(driver, 0.3);
    expect(round(driver, 0)).toEqual({ rates: [0, 0], theta });
    expect(driver.summary()).toMatchObject({ version: 2, samples: 32 });
  });
});

describe('the number of workers', () => {
  const setup = (method: typeof easgd | typeof asyncLocalSgd, values: Record<string, number | string>) => {
    const hyperparameters = { localSteps: 1, ...values };
    return tinyRun(method, { shards: [400], config: { leases: { perWorker: 1 } }, hyperparameters });
  };
  const by = (value: number) => ({ vector: new Float32Array(6).fill(value) });
  const rateOf = ({ lease }: Held): number | undefined =>
    lease.work.kind === 'local' ? lease.work.elastic?.rate : undefined;

  it('[A19] sets elasticity to 0.9 divided by it, at a lease and at a push', () => {
    const driver = new Driver(setup(easgd, {}));
    driver.join('a', 'b', 'c');
    const a = driver.lease('a');
    expect(rateOf(a)).toBeCloseTo(0.3, 12);
    driver.leave('c');
    expect(rateOf(driver.lease('b'))).toBeCloseTo(0.45, 12);
    const before = driver.theta()[0]!;
    driver.push('a', a, by(1));
    expect(before - driver.theta()[0]!).toBeCloseTo(0.45, 6);
    const fixed = new Driver(setup(easgd, { elasticity: 0.25 }));
    fixed.join('a', 'b', 'c');
    expect(rateOf(fixed.lease('a'))).toBe(0.25);
  });

  it('[A19] sets how many pushes a delayed momentum waits for, read at each of them', () => {
    const values = { gracePart: 0, outerLearningRate: 1, outerMomentum: 0.5 };
    const driver = new Driver(setup(asyncLocalSgd, values));
    driver.join('a', 'b', 'c');
    const moved = (): number => {
      const before = driver.theta()[0]!;
      driver.push('a', driver.lease('a'), by(1));
      return before - driver.theta()[0]!;
    };
    expect(moved()).toBeCloseTo(1 / 3, 6);
    driver.leave('c');
    expect(moved()).toBeCloseTo(1 / 2 + 0.5 * 1, 6); // the second of two: m = (1 + 1)/2
    expect(moved()).toBeCloseTo(1 / 2, 6);
  });

  it('[A19] [K1] is the same after a restart, before everyone is back', () => {
    const made = setup(asyncLocalSgd, { gracePart: 0 });
    const driver = new Driver(made);
    driver.join('a', 'b', 'c');
    driver.push('a', driver.lease('a'), by(1));
    const resumed = Driver.resumed(made, driver.snapshot(), { boot: 1 });
    resumed.back('b');
    for (const one of [driver, resumed]) for (const value of [2, 3, 4]) one.push('b', one.lease('b'), by(value));
    expect(resumed.theta()).toEqual(driver.theta());
  });
});
