// What each kind of layer computes, and how a gradient passes back through it. Written by hand rather than recorded by
// TensorFlow.js's tape, whose gradient registry a tab would download, and which would compute a fused layer's input
// gradient even where nothing is below it. n is the batch; every tensor is float32.

import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '../model/spec.ts';

const LAYER_NORM_EPSILON = 1e-5;

/** A layer's parameters, or their gradients: [kernel, bias], or none. */
export type LayerParams = readonly tf.Tensor[];

export interface LayerOutput {
  readonly y: tf.Tensor;
  /** What the way back needs of the way forth beside x and y: 1/σ [n, 1] of a layer norm. */
  readonly kept?: tf.Tensor;
}

/** One layer at one batch: its input, output and parameters, and the loss's gradient at its output. */
export interface LayerAt {
  readonly x: tf.Tensor;
  readonly output: LayerOutput;
  readonly params: LayerParams;
  readonly dy: tf.Tensor;
  /** Whether anything below has parameters; if not, dx is not computed. */
  readonly needsInputGradient: boolean;
}

export interface LayerGradient {
  /** As x; absent when not asked for. */
  readonly dx?: tf.Tensor;
  /** As the layer's parameters. */
  readonly params: LayerParams;
}

/** What a layer makes of x [n, …]. */
export function layerForward(layer: Layer, x: tf.Tensor, params: LayerParams): LayerOutput {
  switch (layer.kind) {
    case 'flatten':
      return { y: rows(x) }; // [n, features]
    case 'dense':
      return { y: tf.fused.matMul({ a: x, b: params[0]!, bias: params[1]! }) }; // [n, units]
    case 'layer-norm':
      return normalize(x);
    case 'relu':
      return { y: tf.relu(x) };
    case 'conv2d': {
      const { stride: strides, padding: pad } = layer;
      const filter = params[0] as tf.Tensor4D;
      return { y: tf.fused.conv2d({ x: x as tf.Tensor4D, filter, bias: params[1]!, strides, pad }) }; // [n, height, width, filters]
    }
    case 'max-pool':
      return { y: tf.maxPool(x as tf.Tensor4D, layer.size, layer.stride, 'valid') }; // [n, height, width, channels]
    default:
      return layer satisfies never;
  }
}

/** The gradients at a layer's input and parameters, from the one at its output. */
export function layerBackward(layer: Layer, at: LayerAt): LayerGradient {
  const { x, output, dy, params, needsInputGradient } = at;
  const { y } = output;
  const input = (dx: () => tf.Tensor): { dx?: tf.Tensor } => (needsInputGradient ? { dx: dx() } : {});
  switch (layer.kind) {
    case 'flatten':
      return { ...input(() => tf.reshape(dy, x.shape)), params: [] };
    case 'dense': {
      const kernel = tf.matMul(x, dy, true, false); // [features, units] = xᵀ·dy
      return { ...input(() => tf.matMul(dy, params[0]!, false, true)), params: [kernel, sumToLast(dy)] };
    }
    case 'layer-norm':
      return { ...input(() => normalizeBackward(output, dy)), params: [] };
    case 'relu':
      return { ...input(() => tf.mul(dy, tf.step(y))), params: [] };
    case 'conv2d': {
      const attributes = { strides: layer.stride, pad: layer.padding, dataFormat: 'NHWC' };
      const { shape: filterShape } = params[0]!;
      const filter = kernel(tf.Conv2DBackpropFilter, { x, dy }, { ...attributes, filterShape });
      const dx = (): tf.Tensor =>
        kernel(tf.Conv2DBackpropInput, { dy, filter: params[0]! }, { ...attributes, inputShape: x.shape });
      return { ...input(dx), params: [filter, sumToLast(dy)] };
    }
    case 'max-pool': {
      const attributes = { filterSize: layer.size, strides: layer.stride, pad: 'valid' };
      return { ...input(() => kernel(tf.MaxPoolGrad, { dy, input: x, output: y }, attributes)), params: [] };
    }
    default:
      return layer satisfies never;
  }
}

/** [n, …] → [n, features] */
const rows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [x.shape[0], -1]);

/** Σ over all axes but the last: a bias's gradient [units]. */
const sumToLast = (dy: tf.Tensor): tf.Tensor => tf.sum(dy, [...dy.shape.keys()].slice(0, -1));

/** Runs a kernel that TensorFlow.js exports no operation for. */
const kernel = (name: string, inputs: tf.NamedTensorMap, attributes: Record<string, unknown>): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attributes as unknown as tf.NamedAttrMap);

/** y = (x − mean)/σ over each sample's features; keeps 1/σ [n, 1]. */
function normalize(x: tf.Tensor): Required<LayerOutput> {
  const centred = tf.sub(rows(x), tf.mean(rows(x), 1, true)); // [n, features]
  const variance = tf.mean(tf.square(centred), 1, true); // [n, 1]
  const inverse = tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON)); // [n, 1]
  return { y: tf.reshape(tf.mul(centred, inverse), x.shape), kept: inverse };
}

/** dx = (dy − mean(dy) − y·mean(dy·y))/σ: Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450, differentiated. */
function normalizeBackward(output: LayerOutput, dy: tf.Tensor): tf.Tensor {
  const [y, d] = [rows(output.y), rows(dy)]; // [n, features]
  const along = tf.mul(y, tf.mean(tf.mul(d, y), 1, true)); // [n, features]
  return tf.reshape(tf.mul(tf.sub(tf.sub(d, tf.mean(d, 1, true)), along), output.kept!), dy.shape);
}
