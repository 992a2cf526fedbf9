// The wasm backend in Node: where npm put its files.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The package's folder of .wasm files, with its trailing slash. */
export function wasmFolder(): string {
  return `${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`;
}
