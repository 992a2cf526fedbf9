// Half precision on the wire: IEEE 754 binary16, round to nearest even, with one power-of-two scale a frame so that
// small gradients do not vanish below 6e-8. Long vectors go through the WebAssembly kernels, as in vec.ts.

import { staged, WRITE } from '../kernels/stage.ts';
import { maxAbs, type Vec } from '../vec.ts';

const F16_MAX_EXPONENT = 14; // values are scaled to just below 2^15, half of the largest binary16
const F32_MIN_EXPONENT = -149; // the smallest float32: the scale travels as one

/** A packed vector: element i is `scale` · halves[i]. */
export interface PackedF16 {
  readonly halves: Uint16Array;
  /** A power of two. */
  scale: number;
}

/** Every binary16 bit pattern as a number: 65,536 floats, made once. */
const DECODED = makeTable();

function makeTable(): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    table[bits] =
      exponent === 0
        ? sign * fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? sign * Infinity
            : NaN
          : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return table;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

function toHalf(value: number): number {
  float[0] = value;
  const x = word[0]!;
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude >= 0x47800000) return magnitude > 0x7f800000 ? sign | 0x7e00 : sign | 0x7c00; // NaN · overflow
  if (magnitude < 0x38800000) {
    // subnormal: adding 0.5 aligns the binary point, and the addition rounds to nearest even
    float[0] = Math.abs(value) + 0.5;
    return sign | (word[0]! - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** The power of two by which `x` is divided before it is packed; 1 for a zero or non-finite vector. */
export function f16Scale(x: Vec): number {
  const max = maxAbs(x);
  if (!(max > 0) || !Number.isFinite(max)) return 1;
  return 2 ** Math.max(F32_MIN_EXPONENT, Math.floor(Math.log2(max)) - F16_MAX_EXPONENT);
}

/** half[i] ← binary16(x[i] / scale), the scale a power of two. */
export function encodeF16(half: Uint16Array, x: Vec, scale: number): void {
  same(half, x);
  const inverse = 1 / scale;
  const first = Math.min(inverse, 2 ** 100); // the inverse of the smallest scale is no float32: in two steps
  if (staged('encodeF16', WRITE, [half, x], [first, inverse / first])) return;
  for (let i = 0; i < x.length; i++) half[i] = toHalf(x[i]! * inverse);
}

/** x[i] ← scale · half[i] */
export function decodeF16(x: Vec, half: Uint16Array, scale: number): void {
  same(half, x);
  if (staged('decodeF16', WRITE, [x, half], [scale])) return;
  for (let i = 0; i < x.length; i++) x[i] = DECODED[half[i]!]! * scale;
}

function same(half: Uint16Array, x: Vec): void {
  if (half.length !== x.length) throw new Error(`invariant violation: ${half.length} halves of ${x.length} elements`);
}
