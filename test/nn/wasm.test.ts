// The wasm backend with our kernels against the cpu backend, and the manners of its loader in Node.

import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { wasmFolder } from '../../client/headless/wasm.ts';
import { useWasm } from '../../shared/nn/wasm.ts';
import { MODEL_NAMES, type ModelSpec } from '../../shared/model/spec.ts';
import { registerWasmKernels } from '../../shared/nn/wasm-kernels.ts';
import { useBackend, type NodeBackend } from './backends.ts';
import { relativeError } from './compare.ts';
import { convolutional, problemOf, smallModel } from './problems.ts';

const listeners = (): unknown[][] => [process.listeners('uncaughtException'), process.listeners('unhandledRejection')];

// first, while the backend has not been started in this process
test('starting it leaves no listener on the process, and removes none', async () => {
  const own = (): void => undefined;
  process.on('unhandledRejection', own);
  const before = listeners();
  await useWasm(wasmFolder(), process);
  expect(tf.getBackend()).toBe('wasm');
  expect(listeners()).toEqual(before);
  process.off('unhandledRejection', own);
});

async function gradientOn(backend: NodeBackend, model: ModelSpec): Promise<Float32Array> {
  await useBackend(backend);
  const { network, theta, samples } = problemOf(model, 4);
  const gradient = new Float32Array(theta.length);
  await network.gradient(theta, samples, gradient);
  return gradient;
}

const differenceOf = async (model: ModelSpec): Promise<number> =>
  relativeError(await gradientOn('wasm', model), await gradientOn('cpu', model));

test.each(MODEL_NAMES)('%s: the same gradient as on cpu', async (name) => {
  expect(await differenceOf(smallModel(name))).toBeLessThan(1e-5);
});

const CONVOLUTIONS = (['same', 'valid'] as const).flatMap((padding) =>
  [1, 2, 3].flatMap((stride) =>
    [1, 2, 3, 4].flatMap((kernel) =>
      ([8, 9, 10] as const).map((size) => ({ padding, stride, kernel, size, width: size + 1 })),
    ),
  ),
);

test.each(CONVOLUTIONS)(
  'convolution: $padding, stride $stride, kernel $kernel, $size × $width',
  async ({ padding, stride, kernel, size, width }) => {
    const model = convolutional([size, width, 2], { kind: 'conv2d', filters: 3, kernel, stride, padding });
    expect(await differenceOf(model)).toBeLessThan(1e-5);
  },
);

const POOLS = [
  { size: 2, stride: 2 },
  { size: 3, stride: 2 },
  { size: 3, stride: 1 },
  { size: 2, stride: 3 },
];

/** A blank image: every window of the pool is one tie. */
test.each(POOLS)('max-pool: size $size, stride $stride, also where all is tied', async ({ size, stride }) => {
  const model: ModelSpec = {
    name: 'pool',
    input: [9, 8, 2],
    classes: 3,
    layers: [
      { kind: 'conv2d', filters: 3, kernel: 3, stride: 1, padding: 'same' },
      { kind: 'max-pool', size, stride },
      { kind: 'flatten' },
      { kind: 'dense', units: 3 },
    ],
  };
  expect(await differenceOf(model)).toBeLessThan(1e-5);
  const blank = new Float32Array(9 * 8 * 3);
  const gradients: Float32Array[] = [];
  for (const backend of ['wasm', 'cpu'] as const) {
    await useBackend(backend);
    const x = tf.tensor4d(blank, [1, 9, 8, 3]);
    const y = tf.maxPool(x, size, stride, 'valid');
    const dy = tf.tensor(
      Float32Array.from({ length: y.size }, (_, i) => i + 1),
      y.shape,
    );
    const attributes = { filterSize: size, strides: stride, pad: 'valid' } as unknown as tf.NamedAttrMap;
    const dx: tf.Tensor = tf.engine().runKernel(tf.MaxPoolGrad, { dy, input: x, output: y }, attributes);
    gradients.push(await dx.data<'float32'>());
    tf.dispose([x, y, dy, dx]);
  }
  expect(gradients[0]).toEqual(gradients[1]);
});

test('matrices of any rank, transposed on either side, multiply as on cpu', async () => {
  const products: Float32Array[] = [];
  for (const backend of ['wasm', 'cpu'] as const) {
    await useBackend(backend);
    const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i));
    const a = tf.tensor3d(numbers(24), [2, 4, 3]);
    const b = tf.tensor3d(numbers(40), [2, 5, 4]);
    const product = tf.matMul(a, b, true, true); // [2, 3, 5]
    expect(product.shape).toEqual([2, 3, 5]);
    products.push(await product.data<'float32'>());
    tf.dispose([a, b, product]);
  }
  expect(relativeError(products[0]!, products[1]!)).toBeLessThan(1e-6);
});

test('registering the kernels again changes nothing', async () => {
  await useBackend('wasm');
  const before = tf.getKernel(tf.BatchMatMul, 'wasm');
  registerWasmKernels();
  expect(tf.getKernel(tf.BatchMatMul, 'wasm')).toBe(before);
});
