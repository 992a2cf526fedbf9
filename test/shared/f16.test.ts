// Half precision against a slow reference that tries every representable number.

import { describe, expect, it } from 'vitest';
import { decodeF16, encodeF16, f16Scale } from '../../shared/protocol/f16.ts';
import fc from '../property.ts';

/** The value of a binary16 pattern, from the definition of IEEE 754. */
function valueOf(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The non-negative finite values in order: the index is the pattern. */
const VALUES = Array.from({ length: 0x7c00 }, (_, bits) => valueOf(bits));

/** Round to nearest, ties to the even pattern, by search. */
function reference(x: number): number {
  const magnitude = Math.abs(x);
  const sign = Object.is(x, -0) || x < 0 ? 0x8000 : 0;
  if (Number.isNaN(x)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00; // half-way between the largest and what would be 2^16
  let low = 0;
  let high = 0x7bff;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (VALUES[middle]! <= magnitude) low = middle;
    else high = middle - 1;
  }
  const above = VALUES[low + 1] ?? 65536;
  const down = magnitude - VALUES[low]!;
  const up = above - magnitude;
  return sign | (down < up || (down === up && low % 2 === 0) ? low : low + 1);
}

const encodeOne = (x: number, scale = 1): number => {
  const half = new Uint16Array(1);
  encodeF16(half, Float32Array.of(x), scale);
  return half[0]!;
};
/** What the other end will read. */
function carried(x: Float32Array, scale: number): Float32Array {
  const half = new Uint16Array(x.length);
  encodeF16(half, x, scale);
  const out = new Float32Array(x.length);
  decodeF16(out, half, scale);
  return out;
}
/** Up to where rounding up would reach 2^128, which no float32 is. */
const finite32 = fc.float({ noNaN: true, min: Math.fround(-3.4e38), max: Math.fround(3.4e38) });

describe('binary16', () => {
  it('[W4] every pattern that is a number decodes to its value and encodes back to itself', () => {
    const half = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const x = new Float32Array(65536);
    decodeF16(x, half, 1);
    const back = new Uint16Array(65536);
    encodeF16(back, x, 1);
    for (let bits = 0; bits < 65536; bits++) {
      const value = valueOf(bits);
      if (!Object.is(x[bits], value)) expect.fail(`pattern ${bits} is ${x[bits]}, not ${value}`);
      if (!Number.isNaN(value) && back[bits] !== bits) expect.fail(`pattern ${bits} came back as ${back[bits]}`);
    }
  });

  it('[W4] rounds to nearest as the reference does, all magnitudes', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: Math.fround(-70000), max: Math.fround(70000) }), (x) => {
        expect(encodeOne(x)).toBe(reference(x));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.integer({ min: -40, max: 17 }), fc.double({ min: 1, max: 2, noNaN: true }), (exponent, m) => {
        const x = Math.fround(m * 2 ** exponent);
        expect(encodeOne(x)).toBe(reference(x));
        expect(encodeOne(-x)).toBe(reference(-x));
      }),
      { numRuns: 2000 },
    );
  });

  it('[W4] every half-way point, normal and subnormal, goes to the even neighbour', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (VALUES[bits]! + VALUES[bits + 1]!) / 2; // exact in float32: 12 significant bits
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (encodeOne(middle) !== even) expect.fail(`${middle} went to ${encodeOne(middle)}, not ${even}`);
    }
  });

  it('[W4] overflow becomes infinity from 65520 on; NaN stays NaN; zeros keep their sign', () => {
    expect(encodeOne(65519.996)).toBe(0x7bff);
    expect(encodeOne(65520)).toBe(0x7c00);
    expect(encodeOne(-1e30)).toBe(0xfc00);
    expect(encodeOne(NaN) & 0x7fff).toBeGreaterThan(0x7c00);
    expect(encodeOne(-0)).toBe(0x8000);
  });
});

describe('scale', () => {
  it('[W4] is the power of two that brings the largest element to [2^14, 2^15)', () => {
    fc.assert(
      fc.property(fc.integer({ min: -80, max: 100 }), fc.double({ min: 1, max: 1.999, noNaN: true }), (exponent, m) => {
        const max = Math.fround(m * 2 ** exponent);
        const scale = f16Scale(Float32Array.of(0, -max, max / 3));
        expect(Number.isInteger(Math.log2(scale))).toBe(true);
        expect(max / scale).toBeGreaterThanOrEqual(2 ** 14);
        expect(max / scale).toBeLessThan(2 ** 15);
      }),
    );
  });

  it('[W4] is 1 for a vector of zeros or with infinities', () => {
    expect(f16Scale(new Float32Array(3))).toBe(1);
    expect(f16Scale(Float32Array.of(1, Infinity))).toBe(1);
  });

  it('[W4] with it an element is off by at most 2^-11 of itself, or 2^-39 of the largest', () => {
    fc.assert(
      fc.property(fc.array(finite32, { minLength: 1, maxLength: 50 }), (list) => {
        const x = Float32Array.from(list);
        const max = Math.max(...x.map(Math.abs));
        const rounded = carried(x, f16Scale(x));
        x.forEach((value, i) => {
          const error = Math.abs(rounded[i]! - value);
          expect(error).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, max * 2 ** -39));
        });
      }),
      { numRuns: 500 },
    );
  });

  it('[W5] what came over comes over again unchanged, with its old scale and with its own', () => {
    fc.assert(
      fc.property(fc.array(finite32, { minLength: 1, maxLength: 40 }), (list) => {
        const x = Float32Array.from(list);
        const once = carried(x, f16Scale(x));
        expect(carried(once, f16Scale(x))).toEqual(once);
        expect(carried(once, f16Scale(once))).toEqual(once);
      }),
    );
  });
});
