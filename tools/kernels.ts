// `npm run kernels`: compiles shared/kernels/kernels.as.ts into shared/kernels/binary.ts. A test does the same and
// compares, so the committed bytes are always those of the source.

import { readFile, writeFile } from 'node:fs/promises';

const SOURCE = 'shared/kernels/kernels.as.ts';
export const TARGET = 'shared/kernels/binary.ts';
/** Named by a variable: the package's types would change those of every array in the program. */
const COMPILER: string = 'assemblyscript/asc';
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '4'];

interface Host {
  readFile(name: string): Promise<string | null>;
  writeFile(name: string, contents: Uint8Array | string): void;
  stderr: { write(text: string): void };
}
type Compiler = { main(args: readonly string[], host: Host): Promise<{ error: Error | null }> };

/** The text of binary.ts. Throws the compiler's own words. */
export async function compiled(): Promise<string> {
  let binary = new Uint8Array();
  let complaints = '';
  const compiler = (await import(COMPILER)) as Compiler;
  const { error } = await compiler.main([SOURCE, '--outFile', 'kernels.wasm', ...FLAGS], {
    readFile: (name) => readFile(name, 'utf8').catch(() => null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = new Uint8Array(contents);
    },
    stderr: { write: (text) => void (complaints += text) },
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
