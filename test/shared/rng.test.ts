// Seeded randomness: the same numbers for ever, and the distributions they claim to be.

import { describe, expect, it } from 'vitest';
import { hashText, permutation, rng, rngFromState } from '../../shared/rng.ts';
import fc from '../property.ts';

const GOLDEN = {
  words: [3354696321, 2707060481, 3123950462, 1007419299],
  below: [583, 325, 366, 388],
  hash: 3621510362,
  fork: [4198412931, 2064628984, 3784893793, 3249052777],
};

const draws = (n: number, draw: () => number): number[] => Array.from({ length: n }, draw);
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const variance = (x: readonly number[]): number => {
  const m = mean(x);
  return mean(x.map((v) => (v - m) ** 2));
};

describe('a generator', () => {
  it('[T1] gives these numbers for seed 1, on every machine', () => {
    const random = rng(1);
    expect(draws(4, () => random.next() * 2 ** 32)).toEqual(GOLDEN.words);
    expect(draws(4, () => random.below(1000))).toEqual(GOLDEN.below);
    expect(hashText('murmuration')).toBe(GOLDEN.hash);
    expect(rng(1).fork('a').state()).toEqual(GOLDEN.fork);
  });

  it('[T1] FNV-1a gives its published values', () => {
    expect(hashText('')).toBe(0x811c9dc5);
    expect(hashText('a')).toBe(0xe40c292c);
    expect(hashText('foobar')).toBe(0xbf9cf968);
  });

  it('[T1] continues from its state', () => {
    const random = rng('seed');
    draws(17, () => random.next());
    const copy = rngFromState(random.state());
    expect(draws(50, () => copy.next())).toEqual(draws(50, () => random.next()));
  });

  it('[D2] a fork depends on the seed and the label, not on what was drawn before or after', () => {
    const fresh = rng(7);
    const used = rng(7);
    draws(1000, () => used.next());
    expect(draws(20, () => used.fork('x').next())).toEqual(draws(20, () => fresh.fork('x').next()));
    const before = rng(7);
    before.fork('y');
    expect(before.next()).toBe(rng(7).next());
  });

  it('[D2] forks of other labels and other seeds are other streams', () => {
    const first = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      for (const label of ['a', 'b', 'ab', 'order/1/2', 'order/12/']) first.add(rng(seed).fork(label).next());
    }
    expect(first.size).toBe(250);
  });

  it('stays within [0, 1) and [0, n)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 31 }), (seed, n) => {
        const random = rng(seed);
        for (let i = 0; i < 50; i++) {
          const x = random.next();
          expect(x >= 0 && x < 1).toBe(true);
          const k = random.below(n);
          expect(Number.isInteger(k) && k >= 0 && k < n).toBe(true);
        }
      }),
    );
  });
});

describe('distributions, 100,000 draws of a fixed seed', () => {
  const N = 100_000;

  it('uniform: every tenth gets a tenth', () => {
    const random = rng('uniform');
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < N; i++) counts[random.below(10)]! += 1;
    for (const count of counts) expect(Math.abs(count - N / 10)).toBeLessThan(450); // 4.7 standard deviations
  });

  it('normal: mean 0, variance 1, kurtosis 3', () => {
    const random = rng('normal');
    const x = draws(N, () => random.normal());
    expect(mean(x)).toBeCloseTo(0, 1.9);
    expect(variance(x)).toBeCloseTo(1, 1.7);
    expect(Math.abs(mean(x.map((v) => v ** 4)) - 3)).toBeLessThan(0.15);
  });

  it.each([
    [100, 0.64],
    [2.5, 3],
    [0.5, 2],
  ])('gamma of shape %d and scale %d: mean kθ, variance kθ²', (shape, scale) => {
    const random = rng(`gamma ${shape}`);
    const x = draws(N, () => random.gamma(shape, scale));
    expect(x.every((v) => v > 0)).toBe(true);
    expect(Math.abs(mean(x) / (shape * scale) - 1)).toBeLessThan(0.02);
    expect(Math.abs(variance(x) / (shape * scale ** 2) - 1)).toBeLessThan(0.05);
  });

  it('gamma(100): 0.94 % of task times exceed 1.25 times their mean', () => {
    const random = rng('tail');
    const late = draws(N, () => random.gamma(100, 0.01)).filter((time) => time > 1.25).length / N;
    expect(Math.abs(late - 0.0094)).toBeLessThan(0.0012);
  });
});

describe('permutation', () => {
  it('[D1] has every number once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.integer(), (n, seed) => {
        const order = permutation(n, rng(seed));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('puts each of four things first a quarter of the time', () => {
    const random = rng('shuffle');
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[permutation(4, random)[0]!]! += 1;
    for (const count of counts) expect(Math.abs(count - 5000)).toBeLessThan(300);
  });
});
