// A model ready to compute on whatever TensorFlow.js backend is set: flat θ and bytes in, flat gradient and loss out.
// Each call goes to the device once and comes back once. It does not choose the backend and holds no tensor between calls.

import * as tf from '@tensorflow/tfjs-core';
import type { Samples } from '../data/spec.ts';
import { sampleBytesOf } from '../data/spec.ts';
import type { Layout } from '../model/layout.ts';
import type { ModelSpec } from '../model/spec.ts';
import type { Vec } from '../vec.ts';
import { crossEntropy, type LossSum } from './loss.ts';
import { backward, forward, lossBackward, upload, type ModelParams } from './model.ts';

/** `count` samples in memory: features count·sampleBytes bytes, labels count bytes (both may be longer). */
export interface LabelledBytes {
  readonly count: number;
  readonly features: Uint8Array;
  readonly labels: Uint8Array;
}

export interface NetworkOptions {
  readonly model: ModelSpec;
  readonly layout: Layout;
  /** The model sees (u8/255 − mean)/deviation. */
  readonly scale: { readonly mean: number; readonly deviation: number };
}

export class Network {
  readonly #options: NetworkOptions;
  /** What the model sees for each byte. */
  readonly #scaled: Float32Array;
  readonly #sampleBytes: number;
  /** Staging for uploads; grown to the largest batch seen. */
  #features = new Float32Array(0);
  #oneHot = new Float32Array(0);

  constructor(options: NetworkOptions) {
    const { mean, deviation } = options.scale;
    this.#options = options;
    this.#scaled = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / deviation);
    this.#sampleBytes = sampleBytesOf(options.model.input);
  }

  /**
   * out ← the gradient at θ of the batch's mean softmax cross-entropy (out and θ: layout.dim floats); gives that mean in
   * nats, and how many samples were classified right. θ may be changed as soon as the call has returned its promise.
   */
  async gradient(theta: Vec, batch: LabelledBytes, out: Vec): Promise<{ loss: number; correct: number }> {
    const { model, layout } = this.#options;
    const packed = tf.tidy(() => {
      const params = this.#upload(theta);
      const outputs = forward(model, params, this.#inputs(batch));
      const logits = outputs.at(-1)!.y; // [n, classes]
      const gradients = backward(model, params, outputs, lossBackward(logits, this.#labels(batch)));
      return tf.concat([...gradients, logits].map((part) => tf.reshape(part, [-1]))); // [dim + n·classes]
    });
    const values = await readBack(packed);
    out.set(values.subarray(0, layout.dim));
    const { loss, correct } = this.#loss(values.subarray(layout.dim), batch);
    return { loss: loss / batch.count, correct };
  }

  /** Mean loss (nats) and accuracy (0 … 1) of all the samples at θ, which is uploaded once. NaN for no samples. */
  async evaluate(theta: Vec, samples: Samples, batchSize: number): Promise<{ loss: number; accuracy: number }> {
    const params = tf.tidy(() => this.#upload(theta).map((layer) => [...layer]));
    let total: LossSum = { loss: 0, correct: 0 };
    try {
      for (let start = 0; start < samples.count; start += batchSize) {
        const batch = slice(samples, start, Math.min(start + batchSize, samples.count));
        const logits = tf.tidy(() => forward(this.#options.model, params, this.#inputs(batch)).at(-1)!.y);
        const { loss, correct } = this.#loss(await readBack(logits), batch);
        total = { loss: total.loss + loss, correct: total.correct + correct };
      }
    } finally {
      tf.dispose(params);
    }
    return { loss: total.loss / samples.count, accuracy: total.correct / samples.count };
  }

  /** Lets go of the staging memory. The network can be used again. */
  dispose(): void {
    this.#features = new Float32Array(0);
    this.#oneHot = new Float32Array(0);
  }

  #upload(theta: Vec): ModelParams {
    const { model, layout } = this.#options;
    if (theta.length !== layout.dim) throw new Error(`θ has ${theta.length} elements, the layout ${layout.dim}`);
    return upload(model, layout, theta);
  }

  #inputs({ features, count }: LabelledBytes): tf.Tensor {
    const size = count * this.#sampleBytes;
    if (this.#features.length < size) this.#features = new Float32Array(size);
    lookUp(features, this.#scaled, this.#features.subarray(0, size));
    return tf.tensor(this.#features.subarray(0, size), [count, ...this.#options.model.input]); // [n, h, w, channels]
  }

  /** One-hot on this side: no int32 tensor ever reaches the device. */
  #labels({ labels, count }: LabelledBytes): tf.Tensor {
    const { classes } = this.#options.model;
    const size = count * classes;
    if (this.#oneHot.length < size) this.#oneHot = new Float32Array(size);
    this.#oneHot.fill(0, 0, size);
    for (let i = 0; i < count; i++) {
      if (labels[i]! >= classes) throw new Error(`label ${labels[i]} in a model of ${classes} classes`);
      this.#oneHot[i * classes + labels[i]!] = 1;
    }
    return tf.tensor(this.#oneHot.subarray(0, size), [count, classes]); // [n, classes]
  }

  #loss(logits: Float32Array, { labels, count }: LabelledBytes): LossSum {
    return crossEntropy(logits, labels.subarray(0, count), this.#options.model.classes);
  }
}

/** out ← the table's value for each byte. By their bits and four in a turn, which is faster than one float after another. */
function lookUp(bytes: Uint8Array, table: Float32Array, out: Float32Array): void {
  const from = new Int32Array(table.buffer, table.byteOffset, table.length);
  const to = new Int32Array(out.buffer, out.byteOffset, out.length);
  const rest = to.length % 4;
  for (let i = 0; i < rest; i++) to[i] = from[bytes[i]!]!;
  for (let i = rest; i < to.length; i += 4) {
    to[i] = from[bytes[i]!]!;
    to[i + 1] = from[bytes[i + 1]!]!;
    to[i + 2] = from[bytes[i + 2]!]!;
    to[i + 3] = from[bytes[i + 3]!]!;
  }
}

/** The tensor's numbers; the tensor is disposed, also when the device fails. */
async function readBack(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return await tensor.data<'float32'>();
  } finally {
    tensor.dispose();
  }
}

function slice(samples: Samples, start: number, end: number): LabelledBytes {
  const { sampleBytes } = samples;
  const features = samples.features.subarray(start * sampleBytes, end * sampleBytes);
  return { count: end - start, features, labels: samples.labels.subarray(start, end) };
}
