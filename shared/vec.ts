// The only loops over parameters. Every function writes its first argument and checks lengths once. Arithmetic is in
// doubles and rounds to float32 on store; sums run over four interleaved lanes. Long vectors go through the WebAssembly
// kernels where there are any: `staged` says so, and the loop below it is what they compute, to the bit (docs/adr/0005).
// A function without a kernel settles first. Composition is by whole vectors, and `inOnePass` fuses what is composed.

import { isDouble, type Vec } from './precision.ts';
import { settle, staged, stagedMaxAbs, stagedSum, UPDATE, UPDATE_TWO, WRITE } from './kernels/stage.ts';

export { inOnePass } from './kernels/stage.ts';

const { fround } = Math;

export type { Vec } from './precision.ts';

const same = (a: Vec, b: Vec): void => {
  if (a.length !== b.length) throw new Error(`invariant violation: vectors of ${a.length} and ${b.length} elements`);
};

/** y ← x */
export function copy(y: Vec, x: Vec): void {
  same(y, x);
  settle();
  y.set(x);
}

/** y ← 0 */
export function zero(y: Vec): void {
  settle();
  y.fill(0);
}

/** y ← y + a·x */
export function axpy(y: Vec, a: number, x: Vec): void {
  same(y, x);
  if (staged('axpy', UPDATE, [y, x], [a])) return;
  for (let i = 0; i < y.length; i++) y[i] = y[i]! + a * x[i]!;
}

/** y ← a·y */
export function scale(y: Vec, a: number): void {
  if (staged('scale', UPDATE, [y], [a])) return;
  for (let i = 0; i < y.length; i++) y[i] = a * y[i]!;
}

/** y ← x + a·z */
export function addScaled(y: Vec, x: Vec, a: number, z: Vec): void {
  same(y, x);
  same(y, z);
  if (staged('addScaled', WRITE, [y, x, z], [a])) return;
  for (let i = 0; i < y.length; i++) y[i] = x[i]! + a * z[i]!;
}

/** y ← a·y + x */
export function decayAdd(y: Vec, a: number, x: Vec): void {
  same(y, x);
  if (staged('decayAdd', UPDATE, [y, x], [a])) return;
  for (let i = 0; i < y.length; i++) y[i] = a * y[i]! + x[i]!;
}

/** y ← a·y + (1−a)·x², the running mean square */
export function decaySquare(y: Vec, a: number, x: Vec): void {
  same(y, x);
  if (staged('decaySquare', UPDATE, [y, x], [a])) return;
  const b = 1 - a;
  for (let i = 0; i < y.length; i++) y[i] = a * y[i]! + b * x[i]! * x[i]!;
}

/** Σ x², in doubles. Finite exactly when every element of a float32 vector is. */
export function sumSquares(x: Vec): number {
  const total = stagedSum('sumSquares', [x]);
  if (total !== null) return total;
  const lanes = new Float64Array(4);
  for (let i = 0; i < x.length; i++) lanes[i % 4] = lanes[i % 4]! + x[i]! * x[i]!;
  return sumOf(lanes);
}

/** Σ a·b, in doubles. */
export function dot(a: Vec, b: Vec): number {
  same(a, b);
  const total = stagedSum('dot', [a, b]);
  if (total !== null) return total;
  const lanes = new Float64Array(4);
  for (let i = 0; i < a.length; i++) lanes[i % 4] = lanes[i % 4]! + a[i]! * b[i]!;
  return sumOf(lanes);
}

/** ‖a − b‖₂ / √dim, the root mean square distance: the *gap* when a is θ now and b the vector that was sent. */
export function rmsDistance(a: Vec, b: Vec): number {
  same(a, b);
  return Math.sqrt(sumSquaredDifferences(a, b) / a.length);
}

function sumSquaredDifferences(a: Vec, b: Vec): number {
  const total = stagedSum('sumSquaredDifferences', [a, b]);
  if (total !== null) return total;
  const lanes = new Float64Array(4);
  for (let i = 0; i < a.length; i++) {
    const d = a[i]! - b[i]!;
    lanes[i % 4] = lanes[i % 4]! + d * d;
  }
  return sumOf(lanes);
}

/** Four lanes in the kernels' order. */
function sumOf(lanes: Float64Array): number {
  return lanes[0]! + lanes[2]! + (lanes[1]! + lanes[3]!);
}

/** max |x| */
export function maxAbs(x: Vec): number {
  const greatest = stagedMaxAbs(x);
  if (greatest !== null) return greatest;
  let max = 0;
  for (let i = 0; i < x.length; i++) {
    const v = Math.abs(x[i]!);
    if (v > max) max = v;
  }
  return max;
}

/**
 * g ← g / (1 + |θ − s| / C) with C = η·(√(E·correction) + ε): the gap-aware penalty, per parameter.
 * Written as g·(C / (C + |θ − s|)), which needs one division and cannot overflow, and all in float32: the square root and
 * the division take twice as long in doubles. `correction` is 1/(1 − Γⁿ).
 */
export function penalizeByGap(
  g: Vec,
  at: { theta: Vec; sent: Vec; meanSquare: Vec },
  by: { learningRate: number; correction: number; epsilon: number },
): void {
  const { theta, sent, meanSquare } = at;
  same(g, theta);
  same(g, sent);
  same(g, meanSquare);
  if (isDouble(g)) return penalizeInDoubles(g, at, by);
  const eta = fround(by.learningRate);
  const correction = fround(by.correction);
  const floor = fround(by.learningRate * by.epsilon);
  if (staged('penalizeByGap', UPDATE, [g, theta, sent, meanSquare], [eta, correction, floor])) return;
  for (let i = 0; i < g.length; i++) {
    const root = fround(Math.sqrt(fround(meanSquare[i]! * correction)));
    const c = fround(fround(eta * root) + floor);
    const distance = Math.abs(fround(theta[i]! - sent[i]!));
    g[i] = g[i]! * fround(c / fround(c + distance));
  }
}

function penalizeInDoubles(...[g, at, by]: Parameters<typeof penalizeByGap>): void {
  const { theta, sent, meanSquare } = at;
  for (let i = 0; i < g.length; i++) {
    const c = by.learningRate * (Math.sqrt(meanSquare[i]! * by.correction) + by.epsilon);
    g[i] = g[i]! * (c / (c + Math.abs(theta[i]! - sent[i]!)));
  }
}

/** g ← g + λ·g²·(θ − s): the first-order Taylor correction with g² for the Hessian's diagonal. */
export function compensate(g: Vec, lambda: number, theta: Vec, sent: Vec): void {
  same(g, theta);
  same(g, sent);
  if (staged('compensate', UPDATE, [g, theta, sent], [lambda])) return;
  for (let i = 0; i < g.length; i++) {
    const x = g[i]!;
    g[i] = x + lambda * x * x * (theta[i]! - sent[i]!);
  }
}

/** g ← g + λ/√(m + ε)·g²·(θ − s), with m the running mean square of this worker's g. */
export function compensateAdaptively(
  g: Vec,
  at: { theta: Vec; sent: Vec; meanSquare: Vec },
  by: { lambda: number; epsilon: number },
): void {
  const { theta, sent, meanSquare } = at;
  same(g, theta);
  same(g, sent);
  same(g, meanSquare);
  if (staged('compensateAdaptively', UPDATE, [g, theta, sent, meanSquare], [by.lambda, by.epsilon])) return;
  for (let i = 0; i < g.length; i++) {
    const x = g[i]!;
    const lambda = by.lambda / Math.sqrt(meanSquare[i]! + by.epsilon);
    g[i] = x + lambda * x * x * (theta[i]! - sent[i]!);
  }
}

/** v ← a·v + g, and total ← total + the change of v. */
export function decayAddTracked(v: Vec, total: Vec, a: number, g: Vec): void {
  same(v, total);
  same(v, g);
  if (staged('decayAddTracked', UPDATE_TWO, [v, total, g], [a])) return;
  for (let i = 0; i < v.length; i++) {
    const before = v[i]!;
    v[i] = a * before + g[i]!;
    total[i] = total[i]! + (v[i]! - before); // after v's rounding, so that the total is of what is stored
  }
}

/** y ← a·y + (1−a)·x, the running mean */
export function decayMean(y: Vec, a: number, x: Vec): void {
  same(y, x);
  if (staged('decayMean', UPDATE, [y, x], [a])) return;
  const b = 1 - a;
  for (let i = 0; i < y.length; i++) y[i] = a * y[i]! + b * x[i]!;
}

/** g ← (p·m + q·g) / (√(r·v) + ε): an adaptive step from a running mean m and a running mean square v. */
export function adaptiveStep(
  g: Vec,
  at: { mean: Vec; meanSquare: Vec },
  by: { ofMean: number; ofGradient: number; correction: number; epsilon: number },
): void {
  const { mean, meanSquare } = at;
  same(g, mean);
  same(g, meanSquare);
  const { ofMean, ofGradient, correction, epsilon } = by;
  if (staged('adaptiveStep', UPDATE, [g, mean, meanSquare], [ofMean, ofGradient, correction, epsilon])) return;
  for (let i = 0; i < g.length; i++) {
    g[i] = (ofMean * mean[i]! + ofGradient * g[i]!) / (Math.sqrt(meanSquare[i]! * correction) + epsilon);
  }
}
