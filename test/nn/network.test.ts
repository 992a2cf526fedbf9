// The network against its definition: finite differences, a loss worked out by hand, no tensor kept, and descent.

import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { initialParams } from '../../shared/model/init.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { MODEL_NAMES, type ModelSpec } from '../../shared/model/spec.ts';
import { Network } from '../../shared/nn/network.ts';
import { rng } from '../../shared/rng.ts';
import { axpy } from '../../shared/vec.ts';
import { NODE_BACKENDS, useBackend } from './backends.ts';
import { differenceQuotients, relativeError } from './compare.ts';
import { bands, problemOf, SCALE, smallModel } from './problems.ts';

/** Features of one sample are what a layer norm is over, also of an image. */
const imageNorm: ModelSpec = {
  name: 'image-norm',
  input: [5, 4, 2],
  classes: 3,
  layers: [
    { kind: 'conv2d', filters: 3, kernel: 3, stride: 2, padding: 'same' },
    { kind: 'layer-norm' },
    { kind: 'flatten' },
    { kind: 'dense', units: 3 },
  ],
};

describe.each(NODE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([...MODEL_NAMES.map(smallModel), imageNorm])('$name: the gradient is that of the loss', async (model) => {
    const { network, theta, samples } = problemOf(model, 6);
    const gradient = new Float32Array(theta.length);
    await network.gradient(theta, samples, gradient);
    const indices = [...theta.keys()].filter((i) => i % Math.ceil(theta.length / 150) === 0);
    const quotients = await differenceQuotients(network, theta, samples, indices);
    expect(
      relativeError(
        Float32Array.from(indices, (i) => gradient[i]!),
        quotients,
      ),
    ).toBeLessThan(1e-2);
  });

  test('zero parameters: the loss is log(classes), and each class is as likely', async () => {
    const { network, layout, samples } = problemOf(smallModel('softmax'), 40);
    const theta = new Float32Array(layout.dim);
    const gradient = new Float32Array(layout.dim);
    const { loss, correct } = await network.gradient(theta, samples, gradient);
    expect(loss).toBeCloseTo(Math.log(4), 6);
    const shares = [0, 1, 2, 3].map((k) => samples.labels.filter((label) => label === k).length / 40);
    expect(correct).toBe(40 * shares[0]!); // all tied, so the first class is the answer
    const bias = layout.entries.find((entry) => entry.role === 'bias')!;
    shares.forEach((share, k) => expect(gradient[bias.offset + k]).toBeCloseTo(1 / 4 - share, 6));
  });

  test('evaluate, in batches that do not divide the samples, finds what one batch finds', async () => {
    const { network, theta, samples } = problemOf(smallModel('ln-mlp'), 23);
    const { loss, correct } = await network.gradient(theta, samples, new Float32Array(theta.length));
    const evaluation = await network.evaluate(theta, samples, 5);
    expect(evaluation.loss).toBeCloseTo(loss, 5);
    expect(evaluation.accuracy).toBeCloseTo(correct / 23, 12);
  });

  test('a label beyond the classes and a θ of another size are refused, and leave no tensor', async () => {
    const { network, theta, samples } = problemOf(smallModel('mlp'), 3);
    const out = new Float32Array(theta.length);
    const before = tf.memory().numTensors;
    const mislabelled = { ...samples, labels: Uint8Array.of(0, 4, 1) };
    await expect(network.gradient(theta, mislabelled, out)).rejects.toThrow('label 4 in a model of 4 classes');
    await expect(network.gradient(theta.subarray(1), samples, out)).rejects.toThrow('θ has');
    expect(tf.memory().numTensors).toBe(before);
  });
});

test.each(MODEL_NAMES)('%s learns to tell bright bands apart', async (name) => {
  await useBackend('wasm');
  const model = smallModel(name);
  const layout = layoutOf(model);
  const network = new Network({ model, layout, scale: SCALE });
  const theta = initialParams(layout, rng(name));
  const samples = bands(model.input, model.classes, 64);
  const gradient = new Float32Array(layout.dim);
  const first = await network.evaluate(theta, samples, 64);
  for (let step = 0; step < 150; step++) {
    await network.gradient(theta, samples, gradient);
    axpy(theta, -0.05, gradient);
  }
  const last = await network.evaluate(theta, samples, 64);
  expect(last.loss).toBeLessThan(first.loss / 3);
  expect(last.accuracy).toBeGreaterThan(0.9);
});

test('1,000 steps and evaluations of every model keep no tensor', async () => {
  await useBackend('wasm');
  for (const name of MODEL_NAMES) {
    const { network, theta, samples } = problemOf(smallModel(name), 2);
    const out = new Float32Array(theta.length);
    const { numTensors, numDataBuffers } = tf.memory();
    for (let step = 0; step < 1000; step++) await network.gradient(theta, samples, out);
    for (let pass = 0; pass < 100; pass++) await network.evaluate(theta, samples, 1);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  }
});

test('a non-finite θ gives a loss that says so', async () => {
  await useBackend('wasm');
  const { network, theta, samples } = problemOf(smallModel('softmax'), 3);
  theta[0] = NaN;
  const { loss } = await network.gradient(theta, samples, new Float32Array(theta.length));
  expect(loss).toBeNaN();
});
