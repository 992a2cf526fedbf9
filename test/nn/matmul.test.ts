// Our products of matrices on the wasm backend: every shape to the bit, nothing left in its memory, and the library's own
// where ours do not do.

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { multiply } from '../../shared/nn/wasm-matmul.ts';
import { rng } from '../../shared/rng.ts';
import { useBackend } from './backends.ts';

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly biased: boolean;
  readonly seed: number;
}

// about the sizes of a tile, 4 by 8, and of what is summed at a time, 256
const cases: fc.Arbitrary<Case> = fc.record({
  m: fc.integer({ min: 1, max: 13 }),
  n: fc.integer({ min: 1, max: 25 }),
  k: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 250, max: 530 })),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  biased: fc.boolean(),
  seed: fc.nat(),
});

/** [rows, columns], or the same numbers with the axes exchanged. */
interface Matrix {
  readonly at: (row: number, column: number) => number;
  readonly tensor: tf.Tensor2D;
}

function matrix(values: Float32Array, [rows, columns]: [number, number], transposed: boolean): Matrix {
  const at = (row: number, column: number): number =>
    values[transposed ? column * rows + row : row * columns + column]!;
  return { at, tensor: tf.tensor2d(values, transposed ? [columns, rows] : [rows, columns]) };
}

const dataIds = (): number => tf.backend().numDataIds();

beforeAll(() => useBackend('wasm'));

describe('a product of matrices on wasm', () => {
  it('is summed in order, in float32, whatever the shape', () => {
    fc.assert(
      fc.property(cases, ({ m, n, k, transposeA, transposeB, biased, seed }) => {
        const random = rng(`matmul ${seed}`);
        const drawn = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
        const a = matrix(drawn(m * k), [m, k], transposeA);
        const b = matrix(drawn(k * n), [k, n], transposeB);
        const bias = biased ? tf.tensor1d(drawn(n)) : undefined;
        const before = dataIds();
        const product = bias
          ? tf.fused.matMul({ a: a.tensor, b: b.tensor, transposeA, transposeB, bias })
          : tf.matMul(a.tensor, b.tensor, transposeA, transposeB);
        expect(dataIds()).toBe(before + 1);
        const first = bias?.dataSync() ?? new Float32Array(n);
        const expected = Float32Array.from({ length: m * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = first[j]!;
          for (let t = 0; t < k; t++) sum = Math.fround(sum + Math.fround(a.at(i, t) * b.at(t, j)));
          return sum;
        });
        expect(product.shape).toEqual([m, n]);
        expect(product.dataSync()).toEqual(expected);
        tf.dispose([a.tensor, b.tensor, product, ...(bias ? [bias] : [])]);
      }),
      { numRuns: 200 },
    );
  });

  it('is ours on this host, but for several at once, an odd bias, and an activation', () => {
    const [a, b, several] = [tf.ones([2, 3]), tf.ones([3, 4]), tf.ones([2, 2, 3])];
    const plain = { transposeA: false, transposeB: false };
    const product = multiply({ a, b, ...plain }, tf.backend());
    expect(product?.shape).toEqual([2, 4]);
    expect(multiply({ a: several, b, ...plain }, tf.backend())).toBeNull();
    expect(multiply({ a, b, ...plain, bias: tf.ones([1]) }, tf.backend())).toBeNull();
    const low = tf.fused.matMul({ a, b, bias: tf.fill([4], -2), activation: 'relu' });
    expect([...low.dataSync()]).toEqual(Array<number>(8).fill(1));
    expect(tf.fused.matMul({ a, b, bias: tf.fill([4], -4), activation: 'relu' }).dataSync()[0]).toBe(0);
  });

  it('is the library’s where the backend’s memory is not to be had', () => {
    const { a, b } = { a: tf.ones([2, 3]), b: tf.ones([3, 4]) };
    expect(multiply({ a, b, transposeA: false, transposeB: false }, {})).toBeNull();
  });

  it('keeps what is not a number', () => {
    const product = tf.matMul(tf.tensor2d([NaN, 1], [1, 2]), tf.ones([2, 9]));
    expect([...product.dataSync()]).toEqual(Array<number>(9).fill(NaN));
  });
});
