// What speaks for a ban besides the score: the trusted gradient and spot checks, by numbers made by hand.

import { describe, expect, it } from 'vitest';
import { BANS_MAX, Bans } from '../../server/core/defence/bans.ts';
import { Records, RECORDS_MAX, type WorkerRecord } from '../../server/core/defence/records.ts';
import { SpotChecks } from '../../server/core/defence/spotchecks.ts';
import { Trust } from '../../server/core/defence/trust.ts';
import { compare, recomputable } from '../../server/core/defence/verdict.ts';
import type { LocalWork } from '../../shared/protocol/lease.ts';
import { rng } from '../../shared/rng.ts';

describe('the trusted gradient', () => {
  it('[G5] is asked for at once, one at a time, and again after twenty pushes, another version and a second', () => {
    const trust = new Trust();
    const asked = (version: number, pushes: number, nowMs: number): boolean => trust.ask({ version, pushes, nowMs });
    expect(asked(0, 0, 0)).toBe(true);
    expect(asked(50, 500, 5000)).toBe(false);
    trust.answer(Float32Array.of(3, 4));
    expect(asked(0, 20, 1000)).toBe(false);
    expect(asked(1, 19, 1000)).toBe(false);
    expect(asked(1, 20, 999)).toBe(false);
    expect(asked(1, 20, 1000)).toBe(true);
  });

  it('[G5] the cosine is with the push as it is', () => {
    const trust = new Trust();
    expect(trust.cosine(Float32Array.of(1, 0), 1, 0)).toBeNull();
    trust.ask({ version: 0, pushes: 0, nowMs: 0 });
    trust.answer(Float32Array.of(3, 4));
    expect(trust.cosine(Float32Array.of(10, 0), 10, 0)).toBeCloseTo(0.6, 12);
    expect(trust.cosine(Float32Array.of(-3, -4), 5, 0)).toBeCloseTo(-1, 12);
  });

  it('[G5] a late push is held against the one nearest to its own θ', () => {
    const trust = new Trust();
    const directions = [1, 2, 3, 4, 5].map((turn) => Float32Array.of(Math.cos(turn), Math.sin(turn)));
    directions.forEach((vector, i) => {
      expect(trust.ask({ version: 100 * i, pushes: 100 * i, nowMs: 1000 * i })).toBe(true);
      trust.answer(vector);
    });
    const agrees = (version: number): number =>
      directions.findIndex((vector) => trust.cosine(vector, 1, version)! > 0.999999);
    // the last four are kept; of two as near it is the newer one
    expect([0, 140, 160, 249, 250, 399, 1000].map(agrees)).toEqual([1, 1, 2, 2, 3, 4, 4]);
  });

  it('[G5] what was taken before a roll-back is used no more, nor what is being taken then', () => {
    const trust = new Trust();
    trust.ask({ version: 0, pushes: 0, nowMs: 0 });
    trust.answer(Float32Array.of(3, 4));
    trust.ask({ version: 20, pushes: 20, nowMs: 1000 });
    trust.forget();
    expect(trust.norm).toBeNull();
    expect(trust.answer(Float32Array.of(6, 8))).toBe(false);
    expect(trust.norm).toBeNull();
    expect(trust.ask({ version: 21, pushes: 20, nowMs: 1001 })).toBe(true);
    trust.answer(Float32Array.of(5, 12));
    expect(trust.norm).toBe(13);
  });

  it('[G5] one that cannot be had is done without after three failures, and asked for less often', () => {
    const trust = new Trust();
    let [version, nowMs] = [0, 0];
    const fail = (vector: Float32Array | null): boolean => {
      version += 20;
      expect(trust.ask({ version, pushes: version, nowMs: (nowMs += 1000) })).toBe(true);
      return trust.answer(vector);
    };
    expect(fail(Float32Array.of(3, 4))).toBe(false);
    expect(fail(null)).toBe(false);
    expect(fail(Float32Array.of(NaN, 1))).toBe(false);
    expect(trust.norm).toBe(5);
    expect(fail(Float32Array.of(0, 0))).toBe(true);
    expect(trust.norm).toBeNull();
    const next = { version: version + 20, pushes: version + 20 };
    expect(trust.ask({ ...next, nowMs: nowMs + 29_999 })).toBe(false);
    expect(trust.ask({ ...next, nowMs: nowMs + 30_000 })).toBe(true);
    trust.answer(Float32Array.of(1, 0));
    expect(trust.norm).toBe(1);
  });
});

describe('spot checks', () => {
  const record = (values: Partial<WorkerRecord> = {}): WorkerRecord => Object.assign(new Records().touch('w'), values);
  const shareOf = (of: WorkerRecord | undefined, seed = 'checks'): number => {
    const checks = new SpotChecks({ newcomer: 0.1, least: 0.02 }, rng(seed));
    let drawn = 0;
    for (let i = 0; i < 20_000; i++) if (checks.draws(`l${i}`, of)) drawn += 1;
    return drawn / 20_000;
  };
  const wrong = { same: false, cosine: 0.9, distance: 0.4, lossOff: 0 };
  const right = { same: true, cosine: 1, distance: 0, lossOff: 0 };
  const honest = { work: { kind: 'gradient' }, codec: 'f32', loss: 1, pushedLoss: 1 } as const;

  it('[G6] [P23] are of a tenth of a newcomer’s pushes, fewer with every check passed, and never under a fiftieth', () => {
    expect(shareOf(undefined)).toBeCloseTo(0.1, 2);
    expect(shareOf(record({ passed: 44 }))).toBeCloseTo(0.1, 2);
    expect(shareOf(record({ passed: 88 }))).toBeCloseTo(0.05, 2);
    expect(shareOf(record({ passed: 10_000 }))).toBeCloseTo(0.02, 2);
  });

  it('[G6] the draw is the lease’s: the same however often it is made, another with another secret', () => {
    const drawn = (seed: string): boolean[] => {
      const checks = new SpotChecks({ newcomer: 0.1, least: 0.02 }, rng(seed));
      return Array.from({ length: 500 }, (_, i) => checks.draws(`l${i}`, undefined));
    };
    expect(drawn('one')).toEqual(drawn('one'));
    expect(drawn('one')).not.toEqual(drawn('two'));
  });

  it('[G6] at most four are under way: what is drawn beyond is owed, and falls to a later push', () => {
    const always = new SpotChecks({ newcomer: 1, least: 1 }, rng('busy'));
    const numbers = [1, 2, 3, 4].map(() => {
      expect(always.plan('l', undefined)).toBe('check');
      return always.begin('w');
    });
    expect(always.plan('l', undefined)).toBe('owe');
    expect(always.end(numbers[0]!)).toBe('w');
    expect(always.end(numbers[0]!)).toBeUndefined();
    expect(always.plan('l', undefined)).toBe('check');
    const never = new SpotChecks({ newcomer: 0, least: 0 }, rng('busy'));
    const known = record();
    for (let i = 0; i < 50; i++) never.owe(known);
    expect(known.owed).toBe(44);
    expect(never.plan('l', known)).toBe('repay');
    never.repaid(known);
    expect(known.owed).toBe(43);
    expect(never.plan('l', record())).toBe('nothing');
  });

  it('[G6] one that differs costs the worker its trust, the second bans it', () => {
    const checks = new SpotChecks({ newcomer: 0.1, least: 0.02 }, rng('strikes'));
    const known = record({ trial: 500, passed: 300 });
    expect(checks.judge(known, wrong)).toBeNull();
    expect(known).toMatchObject({ trial: 0, passed: 0, struck: true, checked: 1, failed: 1 });
    expect(shareOf(known)).toBe(1); // until four agree
    for (let i = 0; i < 4; i++) expect(checks.judge(known, right)).toBeNull();
    expect(shareOf(known)).toBeCloseTo(0.1, 2);
    expect(checks.judge(known, wrong)).toMatch(/two of its leases .* cosine 0.900, distance 0.40/);
  });

  it('[G6] a first one is forgiven after 44 that agree', () => {
    const checks = new SpotChecks({ newcomer: 0.1, least: 0.02 }, rng('strikes'));
    const known = record();
    checks.judge(known, wrong);
    for (let i = 0; i < 44; i++) checks.judge(known, right);
    expect(known.struck).toBe(false);
    expect(checks.judge(known, wrong)).toBeNull();
  });

  it('[G6] one that is quite another vector bans at once', () => {
    const checks = new SpotChecks({ newcomer: 0.1, least: 0.02 }, rng('strikes'));
    expect(checks.judge(record(), { ...wrong, cosine: 0.49, distance: 1 })).toMatch(/is not what it pushed/);
  });

  it('[G6] a difference is judged by direction and by length, and more kindly of what was rounded', () => {
    const computed = Float32Array.of(3, 4);
    const of = (vector: number[], codec: 'f32' | 'f16' = 'f32') =>
      compare(Float32Array.from(vector), computed, { ...honest, codec })!;
    expect(of([3, 4])).toEqual({ same: true, cosine: 1, distance: 0, lossOff: 0 });
    expect(of([3.02, 4.02]).same).toBe(true);
    expect(of([3.06, 4.08])).toMatchObject({ same: false, distance: expect.closeTo(0.02, 6) as number });
    expect(of([3.06, 4.08], 'f16').same).toBe(true);
    expect(of([-3, -4])).toMatchObject({ same: false, cosine: -1, distance: 2 });
    expect(compare(Float32Array.of(1, 1), Float32Array.of(0, 0), honest)).toBeNull();
    expect(compare(Float32Array.of(1, 1), Float32Array.of(NaN, 0), honest)).toBeNull();
  });

  it('[G6] [P23] where the samples are known by heart, as much as rounding leaves is let pass, and then nothing is said', () => {
    const at = (loss: number) =>
      compare(Float32Array.of(3.06, 4.08), Float32Array.of(3, 4), { ...honest, loss, pushedLoss: loss });
    expect([0.1, 1e-3, 5e-5, 3e-6].map((loss) => at(loss)?.same)).toEqual([false, false, true, true]);
    expect([at(2e-6), at(0), at(NaN)]).toEqual([null, null, null]);
    const turned = { ...honest, loss: 3e-6, pushedLoss: 3e-6 };
    expect(compare(Float32Array.of(-3, -4), Float32Array.of(3, 4), turned)!.same).toBe(false);
  });

  it('[G6] the loss is judged as the vector is: 1 % off at most, a tenth of local steps or in half precision', () => {
    const local: LocalWork = { kind: 'local', optimizer: { name: 'sgd' }, learningRate: 0.1, weightDecay: 0, seed: 1 };
    const at = (pushedLoss: number, more: Partial<Parameters<typeof compare>[2]> = {}) =>
      compare(Float32Array.of(3, 4), Float32Array.of(3, 4), { ...honest, loss: 0.5, pushedLoss, ...more })!;
    expect([0.5, 0.504, 0.496].map((loss) => at(loss).same)).toEqual([true, true, true]);
    expect([0.506, 0.494, 0, 1e9].map((loss) => at(loss).same)).toEqual([false, false, false, false]);
    expect(at(1)).toEqual({ same: false, cosine: 1, distance: 0, lossOff: 1 });
    for (const more of [{ work: local }, { codec: 'f16' }] as const) {
      expect([0.46, 0.54].map((loss) => at(loss, more).same)).toEqual([true, true]);
      expect([0.44, 0.56].map((loss) => at(loss, more).same)).toEqual([false, false]);
    }
    // where the samples are known by heart: a millionth more
    expect([6e-6, 4e-6].map((loss) => at(loss, { loss: 5e-6 }).same)).toEqual([true, true]);
    expect([7e-6, 3e-6].map((loss) => at(loss, { loss: 5e-6 }).same)).toEqual([false, false]);
  });

  it('[G6] a lie about the loss costs what a wrong vector costs, and the ban says so', () => {
    const checks = new SpotChecks({ newcomer: 0.1, least: 0.02 }, rng('a lie'));
    const known = record({ trial: 500, passed: 300 });
    const lie = compare(Float32Array.of(3, 4), Float32Array.of(3, 4), { ...honest, pushedLoss: 1e6 })!;
    expect(checks.judge(known, lie)).toBeNull();
    expect(known).toMatchObject({ trial: 0, struck: true, failed: 1 });
    expect(checks.judge(known, lie)).toMatch(/cosine 1.000, distance 0.0, loss off by 1.0e\+6 of it the second time/);
  });

  it('[G6] only of work that its lease says all of', () => {
    const local: LocalWork = { kind: 'local', optimizer: { name: 'sgd' }, learningRate: 0.1, weightDecay: 0, seed: 1 };
    expect(recomputable({ kind: 'gradient' })).toBe(true);
    expect(recomputable(local)).toBe(true);
    expect(recomputable({ ...local, mixing: { probability: 0.1, rate: 0.1 } })).toBe(true);
    expect(recomputable({ ...local, elastic: { rate: 0.1 } })).toBe(false);
    expect(recomputable({ ...local, optimizer: { name: 'momentum', momentum: 0.9 } })).toBe(false);
  });
});

describe('what is remembered', () => {
  it('[G8] is of a bounded number of workers: who pushed longest ago is forgotten first', () => {
    const records = new Records();
    records.touch('first');
    records.touch('second');
    records.touch('first');
    for (let i = 0; i < RECORDS_MAX - 1; i++) records.touch(`w${i}`);
    expect(records.size).toBe(RECORDS_MAX);
    expect(records.find('second')).toBeUndefined();
    expect(records.find('first')).toBeDefined();
  });

  it('[G7] [G8] bans too, the oldest being forgotten', () => {
    const bans = new Bans();
    for (let i = 0; i <= BANS_MAX; i++) bans.add(`w${i}`, 'why', 'defences');
    expect(bans.size).toBe(BANS_MAX);
    expect([bans.reason('w0'), bans.reason('w1')]).toEqual([null, 'why']);
    expect([bans.lift('w1'), bans.lift('w1')]).toEqual([true, false]);
  });
});
