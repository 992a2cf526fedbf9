// The secret of a state folder: made once, whole, and for its owner alone.

import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSecret, SECRET_BYTES } from '../../server/host/secret.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'murmuration-secret-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the secret', () => {
  it('is made once, in a folder that need not be there, and is the same afterwards', async () => {
    const state = join(folder, 'a', 'state');
    const first = await readSecret(state);
    expect(first).toHaveLength(SECRET_BYTES);
    expect((await readSecret(state)).equals(first)).toBe(true);
    expect((await readSecret(join(folder, 'b'))).equals(first)).toBe(false);
  });

  it('is for its owner alone, and leaves nothing else behind', async () => {
    await readSecret(folder);
    expect(await readdir(folder)).toEqual(['secret']);
    if (process.platform !== 'win32') expect((await stat(join(folder, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it('is one, whoever makes it first', async () => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => readSecret(folder)));
    expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(1);
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it('is refused when it is not whole, and a folder that is none is named', async () => {
    await writeFile(join(folder, 'secret'), 'short');
    await expect(readSecret(folder)).rejects.toThrow(/secret has 5 bytes where 32 were expected: delete it/);
    await writeFile(join(folder, 'file'), '');
    await expect(readSecret(join(folder, 'file', 'state'))).rejects.toThrow(
      /cannot (read|write)[\s\S]*file[\s\S]*state/,
    );
  });
});
