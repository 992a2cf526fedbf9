// Robust gathers: against their formulas in doubles, and what no liar can do to them.

import { describe, expect, it } from 'vitest';
import { combine, krum, type RobustValues } from '../../server/core/combine.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import { Aggregator } from '../../server/core/aggregator.ts';
import { rng, permutation } from '../../shared/rng.ts';
import { trimmedMean } from '../../shared/robust.ts';
import type { Vec } from '../../shared/vec.ts';
import fc from '../property.ts';
import { compare, configOf, DIM, PRECISIONS, WITHIN, randomTrace, type Oracle } from './oracle.ts';
import { Lab } from './lab.ts';

const methods = await loadMethods();
const KINDS = ['trimmed-mean', 'median', 'krum', 'centered-clipping'] as const;
type Kind = (typeof KINDS)[number];
const of = (robust: RobustValues['robust'], byzantine = 1, clipRadius = 10): RobustValues => ({
  ...{ robust, byzantine, clipRadius },
});

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0));
const middle = (column: readonly number[], trim: number): number => {
  const left = [...column].sort((a, b) => a - b).slice(trim, column.length - trim);
  return left.reduce((a, b) => a + b, 0) / left.length;
};

/** In doubles, from the papers. */
function oracleOf(kind: Kind, byzantine: number, radius: number): (pushes: readonly number[][]) => number[] {
  let centre = new Array<number>(DIM).fill(0);
  return (pushes) => {
    const n = pushes.length;
    const columns = Array.from({ length: DIM }, (_, i) => pushes.map((push) => push[i]!));
    switch (kind) {
      case 'trimmed-mean':
        return columns.map((column) => middle(column, byzantine));
      case 'median':
        return columns.map((column) => middle(column, Math.ceil(n / 2) - 1));
      case 'krum': {
        const scores = pushes.map((push) => {
          const squares = pushes.map((other) => distance(push, other) ** 2).sort((a, b) => a - b);
          return squares.slice(1, 1 + n - byzantine - 2).reduce((a, b) => a + b, 0); // without itself
        });
        return pushes[scores.indexOf(Math.min(...scores))]!;
      }
      case 'centered-clipping': {
        const moved = [...centre];
        for (const push of pushes) {
          const part = Math.min(1, radius / distance(push, centre)) / n;
          push.forEach((x, i) => (moved[i]! += part * (x - centre[i]!)));
        }
        return (centre = moved);
      }
      default:
        return kind satisfies never;
    }
  };
}

describe.each(KINDS)('%s', (kind) => {
  it.each([1, 2, 3])('[G10] follows its paper in a buffer of seven, seed %i', (seed) => {
    const oracle = (start: number[]): Oracle => {
      const aggregate = oracleOf(kind, 2, 1.5);
      let pushes: number[][] = [];
      const made: Oracle = {
        theta: start,
        sent: () => made.theta,
        push: ({ g, lag }) => {
          pushes.push(g.map((x) => x / Math.sqrt(1 + lag)));
          if (pushes.length < 7) return;
          const update = aggregate(pushes);
          made.theta = made.theta.map((x, i) => x - 0.3 * update[i]!);
          pushes = [];
        },
      };
      return made;
    };
    const values = { bufferSize: 7, outerLearningRate: 0.3, outerMomentum: 0 };
    const config = configOf('fedbuff', { ...values, robust: kind, byzantine: 2, clipRadius: 1.5 });
    const method = methodNamed(methods, 'fedbuff');
    for (const precision of PRECISIONS)
      expect(compare({ method, config, events: randomTrace(seed), oracle, precision })).toBeLessThan(WITHIN[precision]);
  });

  it('[G10] a run stopped and gone on with has the bits of one that was not', () => {
    for (const name of ['fedbuff', 'gba', 'ssgd', 'diloco']) {
      const lab = (): Lab => new Lab(methodNamed(methods, name), 5, { robust: kind, byzantine: 1 });
      const [whole, first] = [lab(), lab()];
      whole.act(400);
      first.act(203);
      const second = lab();
      second.resume(first.save());
      second.act(197);
      expect(second.aggregator.theta).toEqual(whole.aggregator.theta);
      expect(whole.aggregator.version).toBeGreaterThan(10);
    }
  });
});

const numbers = fc.array(fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 3, maxLength: 3 }), {
  minLength: 5,
  maxLength: 40,
});
const aggregated = (values: RobustValues, vectors: readonly (readonly number[])[]): Vec => {
  const combined = combine(3, values);
  for (const vector of vectors) combined.add(Float32Array.from(vector), 1, 1);
  const out = new Float32Array(3);
  combined.take(out);
  return out;
};

describe('whatever is combined', () => {
  it.each(['mean', ...KINDS] as const)('[G10] %s: equal pushes come to what they are', (kind) => {
    expect([...aggregated(of(kind, 1, 1000), Array<number[]>(7).fill([3, -2, 0.5]))]).toEqual([3, -2, 0.5]);
  });

  it.each(KINDS)('[G10] %s does not depend on the order', (kind) => {
    fc.assert(
      fc.property(numbers, fc.nat(), (vectors, seed) => {
        const shuffled = [...permutation(vectors.length, rng(seed))].map((i) => vectors[i]!);
        const [a, b] = [aggregated(of(kind), vectors), aggregated(of(kind), shuffled)];
        // Krum may choose another of two that are equally near to their neighbours
        if (kind === 'krum' && a.some((x, i) => x !== b[i])) return;
        for (let i = 0; i < 3; i++) expect(a[i]).toBeCloseTo(b[i]!, 4);
      }),
    );
  });

  it('[G10] median and trimmed mean stay within what honest pushes say, whatever the liars send', () => {
    fc.assert(
      fc.property(
        numbers,
        fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true }),
        fc.nat(100),
        (honest, lie, share) => {
          const liars = share % Math.ceil(honest.length / 2);
          const all = [...honest, ...Array<number[]>(liars).fill([lie, -lie, lie])];
          for (const result of [aggregated(of('median'), all), aggregated(of('trimmed-mean', liars), all)]) {
            for (let i = 0; i < 3; i++) {
              const column = honest.map((vector) => vector[i]!);
              expect(result[i]).toBeGreaterThanOrEqual(Math.min(...column));
              expect(result[i]).toBeLessThanOrEqual(Math.max(...column));
            }
          }
        },
      ),
    );
  });

  it.each(KINDS)('[G10] %s is moved little by one push without bounds, as the mean is not', (kind) => {
    const random = rng('outlier');
    const honest = Array.from({ length: 9 }, () => [1, -1, 0].map((x) => x + 0.1 * random.normal()));
    const before = aggregated(of(kind, 1, 2), honest);
    for (const size of [1e3, 1e9, 1e30]) {
      const after = aggregated(of(kind, 1, 2), [...honest, [size, size, size]]);
      expect(distance([...before], [...after])).toBeLessThan(0.4);
      expect(distance([...before], [...aggregated(of('mean'), [...honest, [size, size, size]])])).toBeGreaterThan(
        0.1 * size,
      );
    }
  });

  it('[G10] Krum takes one of the honest pushes while liars are as many as it was told, even when they agree', () => {
    const random = rng('krum');
    for (let trial = 0; trial < 50; trial++) {
      const honest = Array.from({ length: 7 }, () => Float32Array.from({ length: 8 }, () => 1 + random.normal()));
      const liars = Array.from({ length: 2 }, () => new Float32Array(8).fill(-20));
      expect(krum([...liars, ...honest], 2)).toBeGreaterThanOrEqual(2);
    }
  });

  it('[G10] by hand: the mean of the middle three of five, the median of an even number, a long column', () => {
    const out = new Float32Array(1);
    const column = (...values: number[]): Vec[] => values.map((value) => Float32Array.of(value));
    trimmedMean(out, column(100, 1, 3, 2, -50), 1);
    expect(out[0]).toBe(2);
    trimmedMean(out, column(4, 1, 3, 2), 1);
    expect(out[0]).toBe(2.5);
    trimmedMean(out, column(...Array.from({ length: 101 }, (_, i) => (i * 37) % 101)), 50);
    expect(out[0]).toBe(50);
  });

  it('[G10] pushes of a buffer that are late count for nothing: none left is no step', () => {
    const combined = combine(2, of('median'));
    combined.addNothing();
    const out = Float32Array.of(7, 7);
    combined.take(out);
    expect([...out]).toEqual([0, 0]);
  });
});

describe('hyper-parameters that do not fit', () => {
  const opened = (values: Record<string, number | string>) => (): Aggregator =>
    new Aggregator({
      method: methodNamed(methods, 'fedbuff'),
      config: configOf('fedbuff', values),
      theta: new Float32Array(2),
      samplesPerEpoch: 10,
    });

  it('[G10] [A10] are refused in one sentence: Krum of too few, and a mean with everything trimmed', () => {
    expect(opened({ robust: 'krum', byzantine: 4, bufferSize: 10 })).toThrow(
      'byzantine is 4, expected less: of 10 pushes an update, Krum needs 2·byzantine + 3 = 11',
    );
    expect(opened({ robust: 'trimmed-mean', byzantine: 5, bufferSize: 10 })).toThrow(
      'byzantine is 5, expected less: of 10 pushes an update, a trimmed mean needs 2·byzantine + 1 = 11',
    );
    expect(opened({ robust: 'krum', byzantine: 3, bufferSize: 9 })).not.toThrow();
    expect(opened({ robust: 'trimmed-mean', byzantine: 4, bufferSize: 9 })).not.toThrow();
  });
});
