// What our products of matrices bring on the wasm backend: whole gradients of a LayerNorm MLP, with the library's kernels
// for them and with ours.

import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { wasmFolder } from '../client/headless/wasm.ts';
import { DATASETS } from '../shared/data/catalogue.ts';
import { sampleBytesOf } from '../shared/data/spec.ts';
import { layoutOf } from '../shared/model/layout.ts';
import { modelSpec } from '../shared/model/spec.ts';
import { Network } from '../shared/nn/network.ts';
import { useWasm } from '../shared/nn/wasm.ts';
import { rng } from '../shared/rng.ts';
import { race, table } from './timing.ts';

const PRODUCTS = [tf.BatchMatMul, tf._FusedMatMul];
const registered = (): tf.KernelConfig[] => PRODUCTS.map((name) => tf.getKernel(name, 'wasm'));
/** As the import has left them, before ours take their place. */
const LIBRARY = registered();
const REPEATS = 10;
const NETWORKS = [
  { hidden: [64, 32], batch: 64 },
  { hidden: [128, 64], batch: 128 },
  { hidden: [500, 250], batch: 128 },
];

export async function benchProducts(): Promise<string> {
  await useWasm(wasmFolder(), process);
  const ours = registered();
  const rows: string[][] = [];
  for (const { hidden, batch } of NETWORKS) {
    const gradient = gradientOf(hidden, batch);
    const times = await race(
      [
        { name: 'library', run: () => repeat(LIBRARY, gradient) },
        { name: 'ours', run: () => repeat(ours, gradient) }, // the last: they stay
      ],
      { rounds: 15, warmups: 5 },
    );
    const [library, own] = ['library', 'ours'].map((name) => times.get(name)! / REPEATS) as [number, number];
    const name = `784-${hidden.join('-')}-10, batch of ${batch}`;
    rows.push([name, library.toFixed(2), own.toFixed(2), (library / own).toFixed(2)]);
  }
  return table(['network', 'library ms', 'ours ms', 'library ÷ ours'], rows);
}

function gradientOf(hidden: readonly number[], count: number): () => Promise<unknown> {
  const { sampleShape, classNames, mean, deviation } = DATASETS['fashion-mnist'];
  const model = modelSpec('ln-mlp', sampleShape, classNames.length, hidden);
  const layout = layoutOf(model);
  const network = new Network({ model, layout, scale: { mean, deviation } });
  const random = rng('bench');
  const bytes = (length: number, below: number): Uint8Array => Uint8Array.from({ length }, () => random.below(below));
  const samples = { count, features: bytes(count * sampleBytesOf(sampleShape), 256), labels: bytes(count, 10) };
  const theta = Float32Array.from({ length: layout.dim }, () => 0.05 * random.normal());
  const out = new Float32Array(layout.dim);
  return () => network.gradient(theta, samples, out);
}

async function repeat(kernels: readonly tf.KernelConfig[], gradient: () => Promise<unknown>): Promise<void> {
  for (const kernel of kernels) {
    tf.unregisterKernel(kernel.kernelName, 'wasm');
    tf.registerKernel(kernel);
  }
  for (let i = 0; i < REPEATS; i++) await gradient();
}
