// The loops over parameters as WebAssembly SIMD. AssemblyScript, not TypeScript: `npm run kernels` compiles it into
// binary.ts. Each computes exactly what the loop of its name in ../vec.ts or ../protocol/f16.ts does, to the bit: in
// doubles, two at a time, rounded to float32 on store. Not the way to call them: see stage.ts.
//
// Arguments: n, the elements; then byte addresses, in the order of the TypeScript function; then numbers. Addresses are
// multiples of 16, and up to 7 elements after the n-th may be read and overwritten.

/** Two floats, as doubles. */
function at(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address));
}

function put(address: usize, value: v128): void {
  v128.store64_lane(address, f32x4.demote_f64x2_zero(value), 0);
}

function bytes(n: i32): usize {
  return (<usize>n) << 2;
}

export function axpy(n: i32, y: usize, x: usize, a: f64): void {
  const factor = f64x2.splat(a);
  for (let end = y + bytes(n); y < end; y += 8, x += 8) put(y, f64x2.add(at(y), f64x2.mul(factor, at(x))));
}

export function scale(n: i32, y: usize, a: f64): void {
  const factor = f64x2.splat(a);
  for (let end = y + bytes(n); y < end; y += 8) put(y, f64x2.mul(factor, at(y)));
}

export function addScaled(n: i32, y: usize, x: usize, z: usize, a: f64): void {
  const factor = f64x2.splat(a);
  for (let end = y + bytes(n); y < end; y += 8, x += 8, z += 8) put(y, f64x2.add(at(x), f64x2.mul(factor, at(z))));
}

export function decayAdd(n: i32, y: usize, x: usize, a: f64): void {
  const factor = f64x2.splat(a);
  for (let end = y + bytes(n); y < end; y += 8, x += 8) put(y, f64x2.add(f64x2.mul(factor, at(y)), at(x)));
}

export function decayMean(n: i32, y: usize, x: usize, a: f64): void {
  const old = f64x2.splat(a);
  const fresh = f64x2.splat(1 - a);
  for (let end = y + bytes(n); y < end; y += 8, x += 8) {
    put(y, f64x2.add(f64x2.mul(old, at(y)), f64x2.mul(fresh, at(x))));
  }
}

export function decaySquare(n: i32, y: usize, x: usize, a: f64): void {
  const old = f64x2.splat(a);
  const fresh = f64x2.splat(1 - a);
  for (let end = y + bytes(n); y < end; y += 8, x += 8) {
    const value = at(x);
    put(y, f64x2.add(f64x2.mul(old, at(y)), f64x2.mul(f64x2.mul(fresh, value), value)));
  }
}

export function decayAddTracked(n: i32, v: usize, total: usize, g: usize, a: f64): void {
  const factor = f64x2.splat(a);
  for (let end = v + bytes(n); v < end; v += 8, total += 8, g += 8) {
    const before = at(v);
    put(v, f64x2.add(f64x2.mul(factor, before), at(g)));
    put(total, f64x2.add(at(total), f64x2.sub(at(v), before)));
  }
}

/** In float32: half the time of doubles for the square root and the division, on a factor between 0 and 1. */
export function penalizeByGap(
  n: i32,
  g: usize,
  theta: usize,
  sent: usize,
  meanSquare: usize,
  learningRate: f32,
  correction: f32,
  floor: f32,
): void {
  const eta = f32x4.splat(learningRate);
  const unbias = f32x4.splat(correction);
  const least = f32x4.splat(floor);
  for (let end = g + bytes(n); g < end; g += 16, theta += 16, sent += 16, meanSquare += 16) {
    const root = f32x4.sqrt(f32x4.mul(v128.load(meanSquare), unbias));
    const c = f32x4.add(f32x4.mul(eta, root), least);
    const distance = f32x4.abs(f32x4.sub(v128.load(theta), v128.load(sent)));
    v128.store(g, f32x4.mul(v128.load(g), f32x4.div(c, f32x4.add(c, distance))));
  }
}

export function compensate(n: i32, g: usize, theta: usize, sent: usize, lambda: f64): void {
  const factor = f64x2.splat(lambda);
  for (let end = g + bytes(n); g < end; g += 8, theta += 8, sent += 8) {
    const x = at(g);
    const drift = f64x2.sub(at(theta), at(sent));
    put(g, f64x2.add(x, f64x2.mul(f64x2.mul(f64x2.mul(factor, x), x), drift)));
  }
}

export function compensateAdaptively(
  n: i32,
  g: usize,
  theta: usize,
  sent: usize,
  meanSquare: usize,
  lambda: f64,
  epsilon: f64,
): void {
  const most = f64x2.splat(lambda);
  const least = f64x2.splat(epsilon);
  for (let end = g + bytes(n); g < end; g += 8, theta += 8, sent += 8, meanSquare += 8) {
    const x = at(g);
    const factor = f64x2.div(most, f64x2.sqrt(f64x2.add(at(meanSquare), least)));
    const drift = f64x2.sub(at(theta), at(sent));
    put(g, f64x2.add(x, f64x2.mul(f64x2.mul(f64x2.mul(factor, x), x), drift)));
  }
}

export function adaptiveStep(
  n: i32,
  g: usize,
  mean: usize,
  meanSquare: usize,
  ofMean: f64,
  ofGradient: f64,
  correction: f64,
  epsilon: f64,
): void {
  const p = f64x2.splat(ofMean);
  const q = f64x2.splat(ofGradient);
  const unbias = f64x2.splat(correction);
  const least = f64x2.splat(epsilon);
  for (let end = g + bytes(n); g < end; g += 8, mean += 8, meanSquare += 8) {
    const direction = f64x2.add(f64x2.mul(p, at(mean)), f64x2.mul(q, at(g)));
    const size = f64x2.add(f64x2.sqrt(f64x2.mul(at(meanSquare), unbias)), least);
    put(g, f64x2.div(direction, size));
  }
}

// Sums run over four interleaved lanes and over as many calls as there are chunks: begin, add up, take the total. The
// elements after the n-th, up to a multiple of four, must be zeros.

let even: v128 = f64x2.splat(0); // elements 0 and 1 of every four
let odd: v128 = f64x2.splat(0); // elements 2 and 3
let greatest: v128 = f32x4.splat(0);

export function begin(): void {
  even = f64x2.splat(0);
  odd = f64x2.splat(0);
  greatest = f32x4.splat(0);
}

export function sum(): f64 {
  const pair = f64x2.add(even, odd);
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

export function maximum(): f32 {
  const first = max(f32x4.extract_lane(greatest, 0), f32x4.extract_lane(greatest, 1));
  return max(first, max(f32x4.extract_lane(greatest, 2), f32x4.extract_lane(greatest, 3)));
}

export function sumSquares(n: i32, x: usize): void {
  let first = even;
  let second = odd;
  for (let end = x + bytes(n); x < end; x += 16) {
    const p = at(x);
    const q = at(x + 8);
    first = f64x2.add(first, f64x2.mul(p, p));
    second = f64x2.add(second, f64x2.mul(q, q));
  }
  even = first;
  odd = second;
}

export function dot(n: i32, a: usize, b: usize): void {
  let first = even;
  let second = odd;
  for (let end = a + bytes(n); a < end; a += 16, b += 16) {
    first = f64x2.add(first, f64x2.mul(at(a), at(b)));
    second = f64x2.add(second, f64x2.mul(at(a + 8), at(b + 8)));
  }
  even = first;
  odd = second;
}

export function sumSquaredDifferences(n: i32, a: usize, b: usize): void {
  let first = even;
  let second = odd;
  for (let end = a + bytes(n); a < end; a += 16, b += 16) {
    const p = f64x2.sub(at(a), at(b));
    const q = f64x2.sub(at(a + 8), at(b + 8));
    first = f64x2.add(first, f64x2.mul(p, p));
    second = f64x2.add(second, f64x2.mul(q, q));
  }
  even = first;
  odd = second;
}

/** A NaN is passed over, as by `>`. */
export function maxAbs(n: i32, x: usize): void {
  let most = greatest;
  for (let end = x + bytes(n); x < end; x += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(x)));
  greatest = most;
}

/**
 * Four floats to binary16, each in the low half of its lane. Adding a power of two that lies as far above the float as
 * its last bit in binary16 lies below makes the addition round, to nearest even, at that bit; the exponent then says
 * how often. After M. Dukhan's FP16 library (2017), https://github.com/Maratyszcza/FP16.
 */
function toHalf(x: v128): v128 {
  const size = f32x4.abs(x);
  const sign = i32x4.shr_u(v128.xor(x, size), 16);
  const nan = i32x4.gt_s(size, i32x4.splat(0x7f800000));
  const exponent = v128.and(i32x4.add(size, i32x4.splat(0x07800000)), i32x4.splat(0x7f800000));
  const magic = i32x4.max_s(exponent, i32x4.splat(0x40000000)); // subnormals share one exponent
  const capped = f32x4.mul(f32x4.mul(size, f32x4.splat(5.192296858534828e33)), f32x4.splat(7.703719777548943e-34));
  const rounded = f32x4.add(capped, magic); // ×2^112 makes an infinity of what is too large, ×2^-110 a fourfold of the rest
  const half = i32x4.add(
    v128.and(i32x4.shr_u(rounded, 13), i32x4.splat(0x7c00)),
    v128.and(rounded, i32x4.splat(0xfff)),
  );
  return v128.or(sign, v128.bitselect(i32x4.splat(0x7e00), half, nan));
}

/** half ← binary16(x · a · b): two factors, since the inverse of the smallest scale is no float32. */
export function encodeF16(n: i32, half: usize, x: usize, a: f32, b: f32): void {
  const first = f32x4.splat(a);
  const second = f32x4.splat(b);
  for (let end = x + bytes(n); x < end; x += 32, half += 16) {
    const low = toHalf(f32x4.mul(f32x4.mul(v128.load(x), first), second));
    const high = toHalf(f32x4.mul(f32x4.mul(v128.load(x + 16), first), second));
    v128.store(half, i16x8.narrow_i32x4_u(low, high));
  }
}

export function decodeF16(n: i32, x: usize, half: usize, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (let end = x + bytes(n); x < end; x += 16, half += 8) {
    const bits = v128.load16x4_u(half);
    const magnitude = v128.and(bits, i32x4.splat(0x7fff));
    const sign = i32x4.shl(v128.xor(bits, magnitude), 16);
    // the exponent is raised by 224, which makes 255 of 31, and lowered by 112 as a factor, which leaves an infinity alone
    const raised = i32x4.add(i32x4.shl(magnitude, 13), i32x4.splat(0x70000000));
    const normal = f32x4.mul(raised, f32x4.splat(1.925929944387236e-34));
    const subnormal = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(5.9604644775390625e-8)); // 2^-24
    const value = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x400)));
    v128.store(x, f32x4.mul(v128.or(value, sign), factor));
  }
}
