// Sets TensorFlow.js's wasm backend, with the kernels that training needs: SIMD, one thread (its threaded build fails
// inside a bundled Web Worker). Where the .wasm files lie is the caller's to say: URLs in a tab, a folder in Node.

import * as tf from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { registerWasmKernels } from './wasm-kernels.ts';

/** A folder, ending in a slash, or the place of each file by its name in the package. */
export type WasmPaths = string | Parameters<typeof setWasmPaths>[0];

type CaughtEvent = 'uncaughtException' | 'unhandledRejection';
type Listener = (...args: unknown[]) => void;

/** What is needed of Node's `process`. */
export interface ListenerHost {
  listeners(event: CaughtEvent): unknown[];
  removeListener(event: CaughtEvent, listener: Listener): unknown;
}

const CAUGHT_EVENTS: readonly CaughtEvent[] = ['uncaughtException', 'unhandledRejection'];

/**
 * Throws when the backend cannot start. In Node, pass `process`: the backend's loader installs listeners there that
 * rethrow every uncaught error under its own 40 kB source line; they are removed again, the host's own are kept.
 */
export async function useWasm(paths: WasmPaths, host?: ListenerHost): Promise<void> {
  tf.enableProdMode();
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setThreadsCount(1);
  setWasmPaths(paths);
  registerWasmKernels();
  const before = CAUGHT_EVENTS.map((event) => host?.listeners(event) ?? []);
  try {
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start: its files were not found');
  } finally {
    CAUGHT_EVENTS.forEach((event, i) => {
      const added = host?.listeners(event).filter((listener) => !before[i]!.includes(listener)) ?? [];
      for (const listener of added) host?.removeListener(event, listener as Listener);
    });
  }
}
