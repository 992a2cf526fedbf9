// `npm run kernels`: compiles shared/kernels/kernels.as.ts into shared/kernels/binary.ts. A test does the same and
// compares, so the committed bytes are always those of the source.

import { readFile, writeFile } from 'node:fs/promises';
import { main as assemblyScript } from 'assemblyscript/asc';

const SOURCE = 'shared/kernels/kernels.as.ts';
export const TARGET = 'shared/kernels/binary.ts';
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '4'];

/** The text of binary.ts. Throws the compiler's own words. */
export async function compiled(): Promise<string> {
  let binary = new Uint8Array();
  let complaints = '';
  const { error } = await assemblyScript([SOURCE, '--outFile', 'kernels.wasm', ...FLAGS], {
    readFile: (name) => readFile(name, 'utf8').catch(() => null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = new Uint8Array(contents);
    },
    stderr: { write: (text) => void (complaints += String(text)) },
  });
  if (error) throw new Error(`${error.message}\n${complaints}`);
  return [
    '// Generated from kernels.as.ts by `npm run kernels`: the WebAssembly module, in base64. Do not edit.',
    '',
    '// prettier-ignore',
    `export const BINARY = '${Buffer.from(binary).toString('base64')}';`,
    '',
  ].join('\n');
}

if (process.argv[1]?.endsWith('tools/kernels.ts')) await writeFile(TARGET, await compiled());
