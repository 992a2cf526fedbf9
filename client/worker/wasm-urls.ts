// Where the bundle serves the wasm backend's files. For the browser only: Vite resolves these imports.

import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import type { WasmPaths } from '../../shared/nn/wasm.ts';

export const WASM_URLS: WasmPaths = {
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  // never loaded (shared/nn/wasm.ts turns threads off), but all three must be named
  'tfjs-backend-wasm-threaded-simd.wasm': simd,
};
