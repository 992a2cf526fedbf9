// Products of matrices for the wasm backend, computed in its own memory by ../kernels/matmul.as.ts. The library's kernel
// copies its second matrix into another order at every call, and transposes one number at a time; this one reads both as
// they lie. The sums are taken in the same order, so the bits are those of the library.

import type * as tf from '@tensorflow/tfjs-core';
import { BINARY } from '../kernels/matmul-binary.ts';

/** What is used of a wasm backend's interface; `asm` is its module's, which a newer one might hide. */
interface WasmBackend {
  makeOutput(shape: number[], dtype: 'float32'): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
  disposeData(data: tf.TensorInfo['dataId']): void;
  readonly wasm?: { readonly asm?: { readonly memory?: WebAssembly.Memory } };
}

/** What matmul.as.ts exports: see there. */
type MultiplyAdd = (...addressesAndSizes: number[]) => void;

/** 8,320 bytes, as matmul.as.ts says. */
const SCRATCH_FLOATS = 2080;

/** By backend: null where this host, or this backend, cannot have it. */
const known = new WeakMap<object, MultiplyAdd | null>();

function multiplyAddIn(backend: WasmBackend): MultiplyAdd | null {
  let multiplyAdd = known.get(backend);
  if (multiplyAdd === undefined) known.set(backend, (multiplyAdd = instantiate(backend.wasm?.asm?.memory)));
  return multiplyAdd;
}

function instantiate(memory: WebAssembly.Memory | undefined): MultiplyAdd | null {
  if (memory === undefined) return null;
  try {
    const binary = Uint8Array.from(atob(BINARY), (letter) => letter.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
    return (exports as { readonly multiplyAdd: MultiplyAdd }).multiplyAdd;
  } catch {
    return null; // no SIMD here
  }
}

export interface Product {
  /** [m, k], and [k, n]; more axes before them if they are of length 1. Transposed where it is said. */
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** [n] */
  readonly bias?: tf.TensorInfo | undefined;
}

/** A·B + bias [m, n]; null where it is for the library to compute. */
export function multiply(product: Product, kernelBackend: object): tf.TensorInfo | null {
  const backend = kernelBackend as WasmBackend;
  const { a, b, transposeA, transposeB, bias } = product;
  const [outer, one] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const multiplyAdd = multiplyAddIn(backend);
  if (multiplyAdd === null || [...outer, ...one].some((size) => size !== 1)) return null;
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const n = transposeB ? bRows : bColumns;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n)) return null;

  const c = backend.makeOutput([...(outer.length > one.length ? outer : one), m, n], 'float32');
  const scratch = backend.makeOutput([SCRATCH_FLOATS], 'float32');
  const floats = (tensor: tf.TensorInfo): Float32Array => backend.typedArrayFromHeap(tensor);
  const address = (tensor: tf.TensorInfo): number => floats(tensor).byteOffset;
  start(floats(c), bias ? floats(bias) : null);
  /** Bytes from a row to the next, and from a column to the next. */
  const distances = (columns: number, transposed: boolean): number[] =>
    transposed ? [4, 4 * columns] : [4 * columns, 4];
  multiplyAdd(
    address(c),
    ...[address(a), ...distances(aColumns, transposeA)],
    ...[address(b), ...distances(bColumns, transposeB)],
    ...[address(scratch), m, n, k],
  );
  backend.disposeData(scratch.dataId);
  return c;
}

/** Every row ← the bias, or zeros. */
function start(c: Float32Array, bias: Float32Array | null): void {
  if (bias === null) c.fill(0);
  else for (let at = 0; at < c.length; at += bias.length) c.set(bias, at);
}
