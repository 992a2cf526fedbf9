// Kernels for the wasm backend: one that TensorFlow.js 4.22 lacks there (the filter gradient of a convolution), one that
// it gets wrong (`same` padding under a wide stride), and faster ones for what training passes through. Measured in Node
// on one core, batch of 64, ms before → after: input gradient of the cnn's second convolution 29 → 3 · gradient of its
// first max-pool 13 → 4. Products of matrices are in wasm-matmul.ts. test/nn/wasm.test.ts compares them with the cpu backend.

import * as tf from '@tensorflow/tfjs-core';
import { multiply } from './wasm-matmul.ts';

/** What these kernels use of a wasm backend's interface. */
interface WasmBackend {
  makeOutput(shape: number[], dtype: 'float32'): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
}

interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface PoolAttributes extends ConvolutionAttributes {
  readonly filterSize: number | [number, number];
}

const WASM = 'wasm';

/** Registers them all; a second call does nothing. The wasm backend need not be ready yet. */
export function registerWasmKernels(): void {
  if (tf.getKernel(tf.Conv2DBackpropFilter, WASM)) return;
  tf.registerKernel({
    kernelName: tf.Conv2DBackpropFilter,
    backendName: WASM,
    kernelFunc: ({ inputs, attrs }) => {
      const { filterShape, ...convolution } = attrs as unknown as ConvolutionAttributes & { filterShape: Shape4D };
      return filterGradient(inputs.x as tf.Tensor4D, inputs.dy as tf.Tensor4D, filterShape, convolution);
    },
  });
  for (const name of [tf.Conv2D, tf.FusedConv2D]) replace(name, explicitlyPadded);
  replace(tf.Conv2DBackpropInput, (original) => (call) => {
    const { inputShape, ...convolution } = call.attrs as unknown as ConvolutionAttributes & { inputShape: Shape4D };
    const strides = [convolution.strides].flat();
    if (strides.some((stride) => stride !== 1)) return original(call);
    return inputGradient(call.inputs.dy as tf.Tensor4D, call.inputs.filter as tf.Tensor4D, inputShape, convolution);
  });
  replace(tf.BatchMatMul, (original) => (call) => {
    const { a, b } = call.inputs as { a: tf.Tensor; b: tf.Tensor };
    const { transposeA, transposeB } = call.attrs as unknown as Transposed;
    const product = multiply({ a, b, transposeA, transposeB }, call.backend);
    if (product) return product;
    if (!transposeA && !transposeB) return original(call);
    return tf.tidy(() => tf.matMul(transposeA ? matrixTranspose(a) : a, transposeB ? matrixTranspose(b) : b));
  });
  replace(tf._FusedMatMul, (original) => (call) => {
    const { a, b, bias } = call.inputs as { a: tf.Tensor; b: tf.Tensor; bias?: tf.Tensor };
    const { activation, transposeA, transposeB } = call.attrs as unknown as Transposed & { activation: string };
    const linear = activation === 'linear';
    const product = linear ? multiply({ a, b, bias, transposeA, transposeB }, call.backend) : null;
    return product ?? original(call);
  });
  replace(tf.MaxPoolGrad, (original) => (call) => {
    const { filterSize, strides, pad, dimRoundingMode } = call.attrs as unknown as PoolAttributes;
    if (pad !== 'valid') return original(call);
    const { input, dy } = call.inputs as { input: tf.Tensor4D; dy: tf.Tensor4D };
    const pool = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad, dimRoundingMode);
    return maxPoolGradient(input, dy, pool, call.backend as unknown as WasmBackend);
  });
}

interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
type Shape4D = [number, number, number, number];
type KernelFunction = tf.KernelConfig['kernelFunc'];

function replace(kernelName: string, by: (original: KernelFunction) => KernelFunction): void {
  const original = tf.getKernel(kernelName, WASM);
  if (!original) throw new Error(`the wasm backend has no ${kernelName}: import it first`);
  tf.unregisterKernel(kernelName, WASM);
  tf.registerKernel({ ...original, kernelFunc: by(original.kernelFunc) });
}

/** A convolution with `same` padding spelt out: the library's own is garbage where a stride exceeds the kernel. */
const explicitlyPadded =
  (original: KernelFunction): KernelFunction =>
  (call) => {
    const attributes = call.attrs as unknown as ConvolutionAttributes & { dilations: number | [number, number] };
    const { strides, pad, dilations, dimRoundingMode } = attributes;
    if (pad !== 'same') return original(call);
    const { x, filter } = call.inputs as { x: tf.Tensor4D; filter: tf.Tensor4D };
    const info = tf.backend_util.computeConv2DInfo(x.shape, filter.shape, strides, dilations, pad, dimRoundingMode);
    const explicit = { ...attributes, pad: padding(info.padInfo) };
    return original({ ...call, attrs: explicit });
  };

/** [‥, i, j] → [‥, j, i] */
function matrixTranspose(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}

/**
 * dF [kh, kw, C, K] as a convolution: channels take the batch's place and the batch the channels', the output gradient
 * slides over the input as the filter, and the forward stride is its dilation.
 */
function filterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, shape: Shape4D, attributes: ConvolutionAttributes): tf.Tensor {
  const { strides, pad, dimRoundingMode } = attributes;
  const info = tf.backend_util.computeConv2DInfo(x.shape, shape, strides, 1, pad, dimRoundingMode);
  return tf.tidy(() => {
    const input = tf.transpose(x, [3, 1, 2, 0]); // [C, H, W, N]
    const filter = tf.transpose(dy, [1, 2, 0, 3]); // [h, w, N, K]
    const dilation: [number, number] = [info.strideHeight, info.strideWidth];
    const slid = tf.conv2d(input, filter, 1, padding(info.padInfo), 'NHWC', dilation); // [C, ≥ kh, ≥ kw, K]
    const { 0: height, 1: width, 2: channels, 3: filters } = shape;
    return tf.transpose(tf.slice(slid, 0, [channels, height, width, filters]), [1, 2, 0, 3]);
  });
}

/** dx [N, H, W, C] for stride 1: the convolution of dy with the filter turned by 180°, in and out channels swapped. */
function inputGradient(dy: tf.Tensor4D, f: tf.Tensor4D, shape: Shape4D, attributes: ConvolutionAttributes): tf.Tensor {
  const { strides, pad, dimRoundingMode } = attributes;
  const { padInfo } = tf.backend_util.computeConv2DInfo(shape, f.shape, strides, 1, pad, dimRoundingMode);
  const [height, width] = [f.shape[0] - 1, f.shape[1] - 1];
  const { top, bottom, left, right } = padInfo;
  const around = { top: height - top, bottom: height - bottom, left: width - left, right: width - right };
  return tf.tidy(() => {
    const turned = tf.transpose(tf.reverse(f, [0, 1]), [0, 1, 3, 2]); // [kh, kw, K, C]
    return tf.conv2d(dy, turned, 1, padding(around));
  });
}

interface Edges {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

const padding = ({ top, bottom, left, right }: Edges): tf.backend_util.ExplicitPadding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

/**
 * dx [N, H, W, C] of an unpadded pool: each window's dy goes to its first largest element, as on the other backends. Loops over
 * the heap, since no composition of operations treats ties so (blank image regions are full of them).
 */
function maxPoolGradient(x: tf.Tensor, dy: tf.Tensor, pool: Pool, backend: WasmBackend): tf.TensorInfo {
  const info = backend.makeOutput(x.shape, 'float32');
  const dx = backend.typedArrayFromHeap(info).fill(0);
  const [input, grad] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(dy)];
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = pool;
  const offsets = Int32Array.from(
    { length: filterHeight * filterWidth },
    (_, i) => (Math.floor(i / filterWidth) * inWidth + (i % filterWidth)) * inChannels,
  );
  let from = 0;
  for (let n = 0; n < pool.batchSize; n++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++) {
        const corner = ((n * inHeight + row * pool.strideHeight) * inWidth + column * pool.strideWidth) * inChannels;
        for (let at = corner; at < corner + inChannels; at++) {
          let best = at;
          let max = input[at]!;
          for (let i = 1; i < offsets.length; i++) {
            const value = input[at + offsets[i]!]!;
            if (value > max) {
              max = value;
              best = at + offsets[i]!;
            }
          }
          dx[best]! += grad[from++]!;
        }
      }
    }
  }
  return info;
}

type Pool = tf.backend_util.Conv2DInfo;
