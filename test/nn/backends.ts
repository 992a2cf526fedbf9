// The backends that run in Node, for tests and measurements.

import '@tensorflow/tfjs'; // registers the cpu backend
import * as tf from '@tensorflow/tfjs-core';
import { wasmFolder } from '../../client/headless/wasm.ts';
import { useWasm } from '../../shared/nn/wasm.ts';

export type NodeBackend = 'cpu' | 'wasm';
export const NODE_BACKENDS: readonly NodeBackend[] = ['cpu', 'wasm'];

export async function useBackend(name: NodeBackend): Promise<void> {
  if (name === 'wasm') return useWasm(wasmFolder(), process);
  tf.enableProdMode();
  await tf.setBackend(name);
}
