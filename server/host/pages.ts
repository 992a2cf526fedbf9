// The built pages: made by Vite when they are missing or older than their sources, so that `npm start` is all it takes.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where Vite puts the pages. */
export const PAGES_FOLDER = join(ROOT, 'dist', 'client');
const SOURCES = ['client', 'shared', 'vite.config.ts', 'package-lock.json'];

/** Builds the pages if they are not up to date. Throws Vite's error when the build fails. */
export async function ensurePages(log: (text: string) => void): Promise<void> {
  const built = await modifiedMs(join(PAGES_FOLDER, 'index.html'));
  const sources = await Promise.all(SOURCES.map((path) => newestMs(join(ROOT, path))));
  if (built >= Math.max(...sources)) return;
  log('building the pages: a few seconds, once');
  const { build } = await import('vite'); // only when it is needed: loading Vite takes half a second
  await asInProduction(() => build({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' }));
}

/** Whoever asks for the build, tests too: the pages stay, and React's other build is several times slower. */
async function asInProduction(build: () => Promise<unknown>): Promise<void> {
  const { NODE_ENV: before } = process.env;
  process.env['NODE_ENV'] = 'production';
  try {
    await build();
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

async function modifiedMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => -Infinity,
  );
}

async function newestMs(path: string): Promise<number> {
  const own = await stat(path).catch(() => null);
  if (!own?.isDirectory()) return own?.mtimeMs ?? -Infinity;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => modifiedMs(join(entry.parentPath, entry.name)));
  return Math.max(-Infinity, ...(await Promise.all(files)));
}
