// Leases of local steps: how many batches, whose shard, what rate, and who starts with whom.

import { describe, expect, it } from 'vitest';
import { Ledger, type WorkItem } from '../../server/core/ledger.ts';
import { leaseDurations } from '../../server/core/leases.ts';
import { dynamicSteps, stepsByRule } from '../../server/core/work.ts';
import asyncLocalSgd from '../../server/methods/async-local-sgd.ts';
import diloco from '../../server/methods/diloco.ts';
import postLocalSgd from '../../server/methods/post-local-sgd.ts';
import { BATCHES_MAX } from '../../shared/protocol/limits.ts';
import { encodeEnvelopeHead } from '../../shared/protocol/envelope.ts';
import { rng } from '../../shared/rng.ts';
import { Driver, samplesOf, tinyRun } from './driver.ts';

const ledgerOf = (shards: readonly number[], batchSize: number, epochs = 1): Ledger =>
  new Ledger({ shards, batchSize, epochs, random: rng(1) });
const inner = { innerOptimizer: 'sgd', innerMomentum: 0, beta1: 0.9, beta2: 0.999, localSteps: 12 } as const;
const moment = { worker: 'a', nowMs: 0, learningRate: 0.1, epochs: 0, warmingUp: false };

describe('an item of several batches', () => {
  it.each([false, true])('[D1] counts every sample once, whatever the sizes; shards drawn: %s', (drawn) => {
    const random = rng(`sizes/${drawn}`);
    const shards = [23, 7, 40, 1];
    const ledger = ledgerOf(shards, 3, 2);
    const seen = new Map<string, number>();
    const out: WorkItem[] = [];
    for (;;) {
      const item = ledger.take(`w${random.below(3)}`, [], { batches: 1 + random.below(9), drawn });
      if (!item && out.length === 0) break;
      if (item) out.push(item);
      const done = out.length > 3 || !item ? out.splice(random.below(out.length), 1)[0]! : null;
      if (!done) continue;
      if (random.below(4) === 0) ledger.giveBack(done);
      else {
        ledger.land(done);
        for (const { shard, start, count } of done.batches) {
          for (let i = start; i < start + count; i++) {
            const key = `${done.epoch}/${shard}/${i}`;
            seen.set(key, (seen.get(key) ?? 0) + 1);
          }
        }
      }
    }
    expect(seen.size).toBe(2 * 71);
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
    expect(ledger.complete).toBe(true);
  });

  it('goes on in another shard where one ends, and never into the next epoch', () => {
    const ledger = ledgerOf([4, 4], 2, 2);
    const sizes = ['a', 'a', 'a'].map((worker) => ledger.take(worker, [], { batches: 3 })!);
    expect(sizes.map(({ epoch, batches }) => [epoch, batches.length])).toEqual([[0, 3], [0, 1], [1, 3]]); // prettier-ignore
    expect(new Set(sizes[0]!.batches.map(({ shard }) => shard)).size).toBe(2);
  });

  it('keeps its place in the order of leasing when it is leased again', () => {
    const ledger = ledgerOf([12], 2);
    const [first, second] = [ledger.take('a')!, ledger.take('b', [], { batches: 2 })!];
    expect([first.sequence, second.sequence, ledger.made]).toEqual([0, 1, 2]);
    ledger.giveBack(first);
    expect(ledger.take('c')!.sequence).toBe(0);
    expect(ledger.take('c')!.sequence).toBe(2);
  });

  it('drawn by what is left, keeps large and small shards level', () => {
    const shards = [600, 300, 100];
    const ledger = ledgerOf(shards, 10);
    const leased = [0, 0, 0];
    for (let i = 0; i < 50; i++) {
      for (const { shard, count } of ledger.take('a', [], { batches: 1, drawn: true })!.batches)
        leased[shard]! += count;
      if (i > 10) leased.forEach((n, shard) => expect(Math.abs(n / (10 * (i + 1)) - shards[shard]! / 1000)).toBeLessThan(0.12)); // prettier-ignore
    }
  });

  it('says how far its data have been gone through', () => {
    const ledger = ledgerOf([8], 2, 2);
    const items = Array.from({ length: 4 }, () => ledger.take('a', [], { batches: 2 })!);
    expect(items.map((item) => ledger.progress(item))).toEqual([0, 0.5, 1, 1.5]);
  });
});

describe('a lease', () => {
  it('[L13] has as much time as its batches take', () => {
    const config = { perWorker: 2, softMinMs: 1000, softFactor: 3, hardFactor: 4 };
    expect(leaseDurations(config, { batchMs: null, overruns: 0 }, 50)).toEqual({ softMs: 50_000, hardMs: 200_000 });
    expect(leaseDurations(config, { batchMs: 100, overruns: 0 }, 50)).toEqual({ softMs: 15_000, hardMs: 60_000 });
    expect(leaseDurations(config, { batchMs: 100, overruns: 0 }, 1)).toEqual({ softMs: 1000, hardMs: 4000 });
  });

  it('of as many batches as there may be fits in the head of a reply', () => {
    const batch = { shard: 99_999, start: 99_999, count: 4096, offset: 99_999, stride: 99_999 };
    const lease = { id: 'l'.repeat(20), baseVersion: 1e9, epoch: 9999, batches: new Array(BATCHES_MAX).fill(batch) };
    const head = encodeEnvelopeHead({ next: { kind: 'lease', lease } }, 0);
    expect(head.byteLength).toBeLessThan(65_536);
  });

  it('[L13] says the rate of its own data’s progress, not the run’s', () => {
    const schedule = { decay: { kind: 'step', epochs: [1], factor: 0.1 } };
    const method = { name: 'diloco', learningRate: 0.1, schedule, localSteps: 4 };
    const driver = new Driver(tinyRun(diloco, { shards: [16], config: { method } }));
    driver.join('a');
    const rates: number[] = [];
    for (let lease = 0; lease < 2; lease++) {
      const held = driver.lease('a');
      const { work } = held.lease;
      if (work.kind !== 'local') throw new Error('a lease of local steps was expected');
      rates.push(work.learningRate);
      driver.push('a', held, { vector: new Float32Array(6).fill(0.01) });
    }
    expect(rates[0]).toBe(0.1);
    expect(rates[1]).toBeCloseTo(0.01, 12);
  });
});

const pushTo =
  (steps: ReturnType<typeof dynamicSteps>) =>
  (worker: string, batches: number, turnaroundMs: number): void =>
    steps.observe!({ worker, batches, turnaroundMs } as Parameters<NonNullable<typeof steps.observe>>[0]);

describe('how many steps', () => {
  it('by the quadratic rule grow as the rate falls, from localSteps to what fits in a lease', () => {
    const steps = stepsByRule({ localSteps: 4, stepsRule: 'qsr', qsrAlpha: 0.1 });
    expect([0.1, 0.05, 0.02, 0.0001, 0].map((learningRate) => steps({ ...moment, learningRate }))).toEqual([4, 4, 25, BATCHES_MAX, BATCHES_MAX]); // prettier-ignore
    expect(stepsByRule({ localSteps: 4, stepsRule: 'constant', qsrAlpha: 9 })(moment)).toBe(4);
  });

  it('[A20] by the quadratic rule are localSteps while the rate warms up, however low it is', () => {
    const schedule = { warmup: { epochs: 1, from: 0.01 }, decay: { kind: 'step', epochs: [2], factor: 0.2 } };
    const rule = { stepsRule: 'qsr', qsrAlpha: 0.05, localSteps: 2 };
    const method = { name: 'diloco', learningRate: 0.05, schedule, ...rule };
    const driver = new Driver(tinyRun(diloco, { shards: [24], config: { method, epochs: 3 } }));
    driver.join('a');
    const sizes: number[][] = [[], [], []];
    for (let next = driver.ask('a'); driver.summary().status === 'running'; next = driver.ask('a')) {
      const { held } = driver.answers.get(next)!;
      sizes[held!.lease.epoch]!.push(held!.lease.batches.length);
      driver.push('a', held!, { vector: new Float32Array(6).fill(0.01) });
    }
    expect(sizes).toEqual([[2, 2, 2], [2, 2, 2], [6]]); // at a fifth of the rate 25, and the epoch has six
  });

  it('are 1 in post-local SGD until its epoch, and localSteps from then on', () => {
    const hyperparameters = { switchEpoch: 1, localSteps: 3 };
    const driver = new Driver(tinyRun(postLocalSgd, { shards: [12], hyperparameters }));
    driver.join('a');
    const sizes: number[] = [];
    for (let lease = 0; lease < 4; lease++) {
      const held = driver.lease('a');
      sizes.push(held.lease.batches.length);
      driver.push('a', held, { vector: new Float32Array(6).fill(0.01) });
    }
    expect(sizes).toEqual([1, 1, 1, 3]);
  });

  it('are in proportion to a worker’s speed in DyLU, localSteps for one not known, and for all when it is off', () => {
    const steps = dynamicSteps({ ...inner, dynamic: true });
    const push = pushTo(steps);
    expect(steps.batches(moment)).toBe(12);
    push('fast', 12, 1200);
    push('slow', 12, 5000);
    push('stuck', 1, 1e9);
    const of = (worker: string): number => steps.batches({ ...moment, worker });
    expect(['fast', 'slow', 'stuck', 'new'].map(of)).toEqual([12, 2, 1, 12]); // 2.88 rounded down
    steps.forget!('fast');
    expect(of('slow')).toBe(12);
    expect(dynamicSteps({ ...inner, dynamic: false }).batches(moment)).toBe(12);
  });

  it('are in DyLU not one less for a rounding in the last bits', () => {
    const steps = dynamicSteps({ ...inner, dynamic: true });
    pushTo(steps)('fast', 12, 450);
    pushTo(steps)('even', 2, 100);
    expect((2 / 100) * (12 / (12 / 450))).toBeLessThan(9);
    expect(steps.batches({ ...moment, worker: 'even' })).toBe(9);
  });

  it('end with the round in DyLU, for a worker that starts in the middle of one', () => {
    const steps = dynamicSteps({ ...inner, dynamic: true });
    const push = pushTo(steps);
    push('fast', 12, 1200); // a round of 1200 ms
    push('slow', 6, 1200);
    const at = (worker: string, nowMs: number): number => steps.batches({ ...moment, worker, nowMs });
    expect([at('fast', 1000), at('slow', 1000)]).toEqual([12, 6]);
    expect([at('fast', 1300), at('slow', 1600)]).toEqual([9, 3]); // 900 ms are left, and 600
    expect(at('slow', 1950)).toBe(6); // three quarters are over: with the next round
    expect(at('fast', 2550)).toBe(6); // 600 ms of that one are left
    expect(at('fast', 10)).toBe(12); // a clock that began again
  });
});

describe('the grace period', () => {
  /** Workers of 100 ms a lease; "late" takes a little longer. */
  function twoFinish(lateMs: number): { versions: number[]; atMs: number[] } {
    const hyperparameters = { localSteps: 1, gracePart: 0.25, dynamicSteps: 'off' };
    const driver = new Driver(tinyRun(asyncLocalSgd, { shards: [200], config: { leases: { perWorker: 1 } }, hyperparameters })); // prettier-ignore
    driver.join('a', 'late');
    const vector = new Float32Array(6).fill(0.01);
    const [a, late] = [driver.lease('a'), driver.lease('late')];
    driver.advance(100);
    driver.push('a', a, { vector });
    const first = driver.ask('a');
    driver.advance(lateMs);
    driver.push('late', late, { vector });
    const second = driver.ask('late');
    driver.advance(200);
    const answers = [first, second].map((request) => driver.answers.get(request)!);
    return {
      versions: answers.map(({ held }) => held!.lease.baseVersion),
      atMs: answers.map(({ atMs }) => atMs),
    };
  }

  it('[A14] sends on together, from one θ, who has finished within it', () => {
    expect(twoFinish(20)).toEqual({ versions: [2, 2], atMs: [125, 125] }); // a quarter of 100 ms after the first
  });

  it('[A14] does not hold the first any longer for one who finishes later, which begins a period of its own', () => {
    expect(twoFinish(40)).toEqual({ versions: [1, 2], atMs: [125, 165] });
  });

  it('holds nobody when it is 0', () => {
    const hyperparameters = { localSteps: 2, gracePart: 0 };
    const driver = new Driver(tinyRun(asyncLocalSgd, { hyperparameters }));
    driver.join('a');
    const held = driver.lease('a');
    driver.advance(100);
    driver.push('a', held, { vector: new Float32Array(6).fill(0.01) });
    expect(samplesOf(driver.lease('a').lease)).toBeGreaterThan(0);
  });
});
