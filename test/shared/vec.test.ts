// The loops over parameters against one-line oracles in doubles.

import { describe, expect, it } from 'vitest';
import * as vec from '../../shared/vec.ts';
import fc from '../property.ts';

const pairs = fc
  .array(
    fc.tuple(
      fc.float({ min: -1e6, max: 1e6, noNaN: true }),
      fc.float({ min: -1e6, max: 1e6, noNaN: true }),
      fc.float({ min: -1e6, max: 1e6, noNaN: true }),
    ),
    { minLength: 1, maxLength: 30 },
  )
  .map((rows) => [0, 1, 2].map((column) => Float32Array.from(rows, (row) => row[column]!)));
const numbers = fc.double({ min: -100, max: 100, noNaN: true });

/** Runs `act` on copies, and compares its first vector with `oracle` rounded once; the others must be untouched. */
function check(
  act: (y: vec.Vec, x: vec.Vec, z: vec.Vec, a: number) => void,
  oracle: (y: number, x: number, z: number, a: number) => number,
): void {
  fc.assert(
    fc.property(pairs, numbers, ([y, x, z], a) => {
      const [y1, x1, z1] = [y!.slice(), x!.slice(), z!.slice()];
      act(y1, x1, z1, a);
      expect(y1).toEqual(Float32Array.from(y!, (value, i) => oracle(value, x![i]!, z![i]!, a)));
      expect([x1, z1]).toEqual([x, z]);
    }),
  );
}

describe('vectors', () => {
  it('copy: y ← x', () =>
    check(
      (y, x) => vec.copy(y, x),
      (_y, x) => x,
    ));
  it('axpy: y ← y + a·x', () =>
    check(
      (y, x, _z, a) => vec.axpy(y, a, x),
      (y, x, _z, a) => y + a * x,
    ));
  it('scale: y ← a·y', () =>
    check(
      (y, _x, _z, a) => vec.scale(y, a),
      (y, _x, _z, a) => a * y,
    ));
  it('addScaled: y ← x + a·z', () =>
    check(
      (y, x, z, a) => vec.addScaled(y, x, a, z),
      (_y, x, z, a) => x + a * z,
    ));
  it('decayAdd: y ← a·y + x', () =>
    check(
      (y, x, _z, a) => vec.decayAdd(y, a, x),
      (y, x, _z, a) => a * y + x,
    ));
  it('decaySquare: y ← a·y + (1−a)·x²', () =>
    check(
      (y, x, _z, a) => vec.decaySquare(y, a, x),
      (y, x, _z, a) => a * y + (1 - a) * x * x,
    ));

  it('sums: Σx², Σab, rms of a − b, max |x|', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const rows = [...a!].map((value, i) => [value, b![i]!] as const);
        const sum = (of: (x: number, y: number) => number): number => rows.reduce((s, [x, y]) => s + of(x, y), 0);
        const size = sum((x, y) => Math.abs(x * y)); // what a sum in another order may lose is a part of this
        expect(Math.abs(vec.dot(a!, b!) - sum((x, y) => x * y))).toBeLessThanOrEqual(1e-14 * size);
        const squares = sum((x) => x * x);
        expect(Math.abs(vec.sumSquares(a!) - squares)).toBeLessThanOrEqual(1e-14 * squares);
        const rms = Math.sqrt(sum((x, y) => (x - y) ** 2) / rows.length);
        expect(Math.abs(vec.rmsDistance(a!, b!) - rms)).toBeLessThanOrEqual(1e-14 * rms);
        expect(vec.maxAbs(a!)).toBe(Math.max(...rows.map(([x]) => Math.abs(x))));
      }),
    );
  });

  it('[A1] Σx² is finite exactly when every element is', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { minLength: 1 }), (list) => {
        expect(Number.isFinite(vec.sumSquares(Float32Array.from(list)))).toBe(list.every(Number.isFinite));
      }),
    );
    expect(Number.isFinite(vec.sumSquares(new Float32Array(1e6).fill(3.4e38)))).toBe(true);
  });

  it('vectors of other lengths are our own error, for every function', () => {
    const [two, three] = [new Float32Array(2), new Float32Array(3)];
    const calls = [
      () => vec.copy(two, three),
      () => vec.axpy(two, 1, three),
      () => vec.addScaled(two, two, 1, three),
      () => vec.addScaled(two, three, 1, two),
      () => vec.decayAdd(two, 1, three),
      () => vec.decaySquare(two, 1, three),
      () => vec.dot(two, three),
      () => vec.rmsDistance(two, three),
    ];
    for (const call of calls) expect(call).toThrow('invariant violation: vectors of');
    for (const wrong of ['theta', 'sent', 'meanSquare'] as const) {
      const at = { theta: two, sent: two, meanSquare: two, [wrong]: three };
      expect(() => vec.penalizeByGap(two, at, { learningRate: 1, correction: 1, epsilon: 1 })).toThrow('invariant');
    }
  });
});

describe('penalizeByGap', () => {
  it('[A4] is g / (1 + |θ − s| / C), C = η·(√(E·correction) + ε), as the paper writes it', () => {
    const by = fc.record({
      learningRate: fc.double({ min: 1e-4, max: 1, noNaN: true }),
      correction: fc.double({ min: 1, max: 1000, noNaN: true }),
      epsilon: fc.constantFrom(1e-8, 1e-12, 1e-3),
    });
    fc.assert(
      fc.property(pairs, by, ([g, theta, sent], options) => {
        const meanSquare = Float32Array.from(g!, (value, i) => Math.abs(value * theta![i]!) % 7);
        const penalized = g!.slice();
        vec.penalizeByGap(penalized, { theta: theta!, sent: sent!, meanSquare }, options);
        penalized.forEach((value, i) => {
          const c = options.learningRate * (Math.sqrt(meanSquare[i]! * options.correction) + options.epsilon);
          const expected = g![i]! / (1 + Math.abs(theta![i]! - sent![i]!) / c);
          expect(Math.abs(value - expected)).toBeLessThanOrEqual(2e-6 * Math.abs(expected) + 1e-44);
        });
      }),
    );
  });

  it('[A4] changes nothing without a gap, and never makes a gradient larger or turns it around', () => {
    const g = Float32Array.of(3, -2, 0, 1e-30);
    const zero = new Float32Array(4);
    const still = g.slice();
    const options = { learningRate: 0.1, correction: 1, epsilon: 1e-8 };
    vec.penalizeByGap(still, { theta: g, sent: g, meanSquare: zero }, options);
    expect(still).toEqual(g);
    const moved = g.slice();
    vec.penalizeByGap(moved, { theta: Float32Array.of(9, -9, 1, 1e-9), sent: zero, meanSquare: zero }, options);
    moved.forEach((value, i) => {
      expect(Math.abs(value)).toBeLessThanOrEqual(Math.abs(g[i]!));
      expect(value * g[i]!).toBeGreaterThanOrEqual(0);
    });
  });
});
