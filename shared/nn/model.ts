// A model's forward and backward pass on the device, over parameters sliced out of θ. All tensors made here belong to
// the caller's `tf.tidy`. Nothing reads back: the same functions serve one gradient and many local steps.

import * as tf from '@tensorflow/tfjs-core';
import type { Layout } from '../model/layout.ts';
import type { ModelSpec } from '../model/spec.ts';
import type { Vec } from '../vec.ts';
import { layerBackward, layerForward, type LayerOutput, type LayerParams } from './layers.ts';

/** Each layer's parameters on the device. */
export type ModelParams = readonly LayerParams[];

/** Uploads θ, one tensor a layout entry: no slower than slicing one upload, and on wasm a slice copies all of θ. */
export function upload(model: ModelSpec, layout: Layout, theta: Vec): ModelParams {
  return model.layers.map((_, index) =>
    layout.entries
      .filter((entry) => entry.layer === index)
      .map(({ offset, size, shape }) => tf.tensor(theta.subarray(offset, offset + size), [...shape])),
  );
}

/** What each layer passes on: y of [0] is x [n, height, width, channels], of the last the logits [n, classes]. */
export function forward(model: ModelSpec, params: ModelParams, x: tf.Tensor): LayerOutput[] {
  const outputs: LayerOutput[] = [{ y: x }];
  model.layers.forEach((layer, index) => outputs.push(layerForward(layer, outputs[index]!.y, params[index]!)));
  return outputs;
}

/** The gradient of the mean softmax cross-entropy at the logits, for one-hot labels, both [n, classes]. */
export function lossBackward(logits: tf.Tensor, oneHot: tf.Tensor): tf.Tensor {
  return tf.div(tf.sub(tf.softmax(logits), oneHot), logits.shape[0]);
}

/** The gradients of all parameters, in the layout's order, from the one at the logits. */
export function backward(
  model: ModelSpec,
  params: ModelParams,
  outputs: readonly LayerOutput[],
  dLogits: tf.Tensor,
): tf.Tensor[] {
  const gradients: tf.Tensor[] = [];
  const lowest = params.findIndex((layer) => layer.length > 0);
  let dy = dLogits;
  for (let index = model.layers.length - 1; index >= lowest; index--) {
    const [x, output] = [outputs[index]!.y, outputs[index + 1]!];
    const needsInputGradient = index > lowest;
    const gradient = layerBackward(model.layers[index]!, { x, output, dy, params: params[index]!, needsInputGradient });
    gradients.unshift(...gradient.params);
    if (gradient.dx) dy = gradient.dx;
  }
  return gradients;
}
