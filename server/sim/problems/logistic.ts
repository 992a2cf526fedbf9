// Logistic regression on drawn data: convex, with an error that cannot be trained away, in microseconds a step.

import { rng, type Rng } from '../../../shared/rng.ts';
import type { Vec } from '../../../shared/vec.ts';
import type { ProblemSpec } from '../scenario.ts';
import { plainData, plainLayout, type Figures, type Problem } from './problem.ts';

type Spec = Extract<ProblemSpec, { kind: 'logistic' }>;

/** Rows of x, and labels of 0 or 1. */
interface Drawn {
  readonly x: Float32Array;
  readonly y: Uint8Array;
}

/** Samples of the validation split, and of the test split. */
const HELD_OUT = 1000;

/** Labels follow a hidden θ* by chance: P(y = 1) = σ(x·θ*). The data are the same for every seed of a scenario. */
export function logistic({ features, samples }: Spec): Problem {
  const random = rng('logistic');
  const hidden = Float32Array.from({ length: features }, () => (2 * random.normal()) / Math.sqrt(features));
  const drawn = (label: string, count: number): Drawn => draw(hidden, count, random.fork(label));
  const train = drawn('train', samples);
  const splits = { validation: drawn('validation', HELD_OUT), test: drawn('test', HELD_OUT) };
  return {
    ...plainData('logistic', samples),
    layout: plainLayout(features, features),
    gradient: (theta, batch, out, flipped) => meanGradient(theta, train, out, { samples: batch, flipped }),
    heldOutGradient: (theta) => {
      const out = new Float32Array(features);
      meanGradient(theta, splits.validation, out, {
        samples: Uint32Array.from(splits.validation.y.keys()),
        flipped: false,
      });
      return out;
    },
    evaluate: (theta, split) => measure(theta, splits[split]),
  };
}

function draw(hidden: Float32Array, count: number, random: Rng): Drawn {
  const dim = hidden.length;
  const x = Float32Array.from({ length: count * dim }, () => random.normal());
  const rows = Array.from({ length: count }, (_, i) => x.subarray(i * dim, (i + 1) * dim));
  return { x, y: Uint8Array.from(rows, (row) => (random.next() < sigmoid(inner(hidden, row)) ? 1 : 0)) };
}

/** See `Problem`. */
function meanGradient(
  theta: Vec,
  { x, y }: Drawn,
  out: Vec,
  { samples, flipped }: { samples: Uint32Array; flipped: boolean },
): number {
  const sum = new Float64Array(theta.length);
  let loss = 0;
  for (const sample of samples) {
    const row = x.subarray(sample * theta.length, (sample + 1) * theta.length);
    const label = flipped ? 1 - y[sample]! : y[sample]!;
    const z = inner(theta, row);
    loss += crossEntropy(z, label);
    const error = sigmoid(z) - label;
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + error * row[i]!;
  }
  for (let i = 0; i < sum.length; i++) out[i] = sum[i]! / samples.length;
  return loss / samples.length;
}

function measure(theta: Float32Array, { x, y }: Drawn): Figures {
  let loss = 0;
  let correct = 0;
  y.forEach((label, i) => {
    const z = inner(theta, x.subarray(i * theta.length, (i + 1) * theta.length));
    loss += crossEntropy(z, label);
    if (z > 0 === (label === 1)) correct += 1;
  });
  return { loss: loss / y.length, accuracy: correct / y.length };
}

function inner(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** −log P(label), without overflow. */
const crossEntropy = (z: number, label: number): number =>
  Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - label * z;
