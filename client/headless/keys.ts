// Device keys of headless volunteers: made for the process, or kept in a file, one for each volunteer by its number.

import { open, readFile, rename, rm } from 'node:fs/promises';
import { jwkOf, makePair, pairOf } from '../worker/device-key.ts';

/** For the owner alone. */
const FILE_MODE = 0o600;

/** The private keys, as JSON web keys. Without a file they are made for this process. Throws one sentence. */
export async function deviceKeys(count: number, file: string | null): Promise<JsonWebKey[]> {
  const kept = file === null ? [] : await read(file);
  const keys = kept.slice(0, count);
  while (keys.length < count) keys.push(await jwkOf(await makePair(true)));
  if (file !== null && keys.length > kept.length) await write(file, keys);
  return keys;
}

async function read(file: string): Promise<JsonWebKey[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new Error(`cannot read the keys in ${file}: ${error.message}`);
  });
  if (text === null) return [];
  try {
    const { keys } = JSON.parse(text) as { keys: JsonWebKey[] };
    for (const key of keys) await pairOf(key);
    return keys;
  } catch {
    throw new Error(`${file} has no device keys: expected a file that --key has made`);
  }
}

/** Whole or not at all. */
async function write(file: string, keys: readonly JsonWebKey[]): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'wx', FILE_MODE);
    try {
      await handle.writeFile(`${JSON.stringify({ keys })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    throw new Error(`cannot write the keys to ${file}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
}
