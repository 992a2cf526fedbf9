// The self-test passes on backends that compute rightly, and fails, saying where, on ones that do not.

import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import { modelSpec } from '../../shared/model/spec.ts';
import { CHECK_NAMES, selfTest } from '../../shared/nn/selftest.ts';
import { NODE_BACKENDS, useBackend } from './backends.ts';

type KernelFunction = tf.KernelConfig['kernelFunc'];

let repair = (): void => undefined;
afterEach(() => {
  repair();
  repair = () => undefined;
});

/** Replaces one kernel of the cpu backend until the test ends. */
async function sabotage(kernelName: string, by: (original: KernelFunction) => KernelFunction): Promise<void> {
  await useBackend('cpu');
  const original = tf.getKernel(kernelName, 'cpu');
  const exchange = (config: tf.KernelConfig): void => {
    tf.unregisterKernel(kernelName, 'cpu');
    tf.registerKernel(config);
  };
  exchange({ ...original, kernelFunc: by(original.kernelFunc) });
  repair = () => exchange(original);
}

/** What the kernel gives, times a factor. */
const scaled =
  (factor: number) =>
  (original: KernelFunction): KernelFunction =>
  (call) => {
    const info = original(call) as tf.TensorInfo;
    const right = tf.engine().makeTensorFromTensorInfo(info);
    return tf.mul(right, factor);
  };

describe.each(NODE_BACKENDS)('on %s', (backend) => {
  test('every check passes, to float32', async () => {
    await useBackend(backend);
    const { ok, checks, reason } = await selfTest();
    expect(reason).toBeUndefined();
    expect(ok).toBe(true);
    expect(checks.map((check) => check.name)).toEqual(CHECK_NAMES);
    for (const { relativeError } of checks) expect(relativeError).toBeLessThan(1e-5);
  });
});

test('only the layers of the model are checked, and always the loss', async () => {
  await useBackend('cpu');
  const namesFor = async (name: 'softmax' | 'ln-mlp' | 'cnn'): Promise<string[]> =>
    (await selfTest(modelSpec(name, [28, 28, 1], 10))).checks.map((check) => check.name);
  expect(await namesFor('softmax')).toEqual(['loss', 'dense']);
  expect(await namesFor('ln-mlp')).toEqual(['loss', 'dense', 'layer-norm', 'relu']);
  expect(await namesFor('cnn')).toEqual(['loss', 'dense', 'relu', 'conv2d', 'max-pool']);
});

test.each([
  { kernel: tf.Relu, fails: ['relu'] },
  { kernel: tf.Step, fails: ['relu'] },
  { kernel: tf.Rsqrt, fails: ['layer-norm'] },
  { kernel: tf.FusedConv2D, fails: ['conv2d', 'max-pool'] },
  { kernel: tf.Conv2DBackpropInput, fails: ['conv2d'] },
  { kernel: tf.Conv2DBackpropFilter, fails: ['conv2d', 'max-pool'] },
  { kernel: tf.MaxPoolGrad, fails: ['max-pool'] },
  { kernel: tf.Softmax, fails: CHECK_NAMES },
])('a $kernel one hundredth too large fails $fails', async ({ kernel, fails }) => {
  await sabotage(kernel, scaled(1.01));
  const { ok, checks, reason } = await selfTest();
  expect(ok).toBe(false);
  expect(checks.filter((check) => !check.ok).map((check) => check.name)).toEqual(fails);
  expect(reason).toContain(`${fails[0]}: relative error`);
});

test('a gradient of zeros is refused by name', async () => {
  await sabotage(tf.Concat, scaled(0)); // all results zero: what an invalid WebGPU shader does to its neighbours
  const { ok, reason } = await selfTest();
  expect(ok).toBe(false);
  expect(reason).toContain('loss: all-zero gradient');
});

test('a gradient that is not finite is refused by name', async () => {
  await sabotage(tf.Softmax, scaled(NaN));
  expect((await selfTest()).reason).toContain('loss: non-finite gradient');
});

test('a kernel that throws, or is missing, fails its check with the message', async () => {
  await sabotage(tf.MaxPool, () => () => {
    throw new Error('shader does not compile');
  });
  const { checks, reason } = await selfTest();
  expect(checks.filter((check) => !check.ok)).toEqual([{ name: 'max-pool', ok: false, relativeError: NaN }]);
  expect(reason).toBe('max-pool: shader does not compile');
});
