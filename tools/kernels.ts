// `npm run kernels`: compiles what is written in AssemblyScript into the modules that carry it. A test does the same and
// compares, so the committed bytes are always those of the source.

import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

interface Kernels {
  readonly source: string;
  readonly target: string;
  readonly flags: readonly string[];
}
export const ALL_KERNELS: readonly Kernels[] = [
  {
    source: 'shared/kernels/kernels.as.ts',
    target: 'shared/kernels/binary.ts',
    flags: ['--initialMemory', '4'],
  },
  {
    source: 'shared/kernels/matmul.as.ts',
    target: 'shared/kernels/matmul-binary.ts',
    flags: ['--importMemory', '--enable', 'bulk-memory'],
  },
];
/** Named by a variable: the package's types would change those of every array in the program. */
const COMPILER: string = 'assemblyscript/asc';
const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];

interface Host {
  readFile(name: string): Promise<string | null>;
  writeFile(name: string, contents: Uint8Array | string): void;
  stderr: { write(text: string): void };
}
type Compiler = { main(args: readonly string[], host: Host): Promise<{ error: Error | null }> };

/** The text of the module that carries them. Throws the compiler's own words. */
export async function compiled({ source, flags }: Kernels): Promise<string> {
  let binary = new Uint8Array();
  let complaints = '';
  const compiler = (await import(COMPILER)) as Compiler;
  const { error } = await compiler.main([source, '--outFile', 'kernels.wasm', ...FLAGS, ...flags], {
    readFile: (name) => readFile(name, 'utf8').catch(() => null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = new Uint8Array(contents);
    },
    stderr: { write: (text) => void (complaints += text) },
  });
  if (error) throw new Error(`${error.message}\n${complaints}`);
  return [
    `// Generated from ${basename(source)} by \`npm run kernels\`: the WebAssembly module, in base64. Do not edit.`,
    '',
    '// prettier-ignore',
    `export const BINARY = '${Buffer.from(binary).toString('base64')}';`,
    '',
  ].join('\n');
}

if (process.argv[1]?.endsWith('tools/kernels.ts')) {
  for (const kernels of ALL_KERNELS) await writeFile(kernels.target, await compiled(kernels));
}
