// The coordinator's own secret: random bytes of the state folder, made once. What it signs is known again after a restart.

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

export const SECRET_BYTES = 32;
const FILE = 'secret';
/** For the owner alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** The secret of a state folder, which is made when it is not there. Throws one sentence that says what to do. */
export async function readSecret(stateDir: string): Promise<Buffer> {
  const path = join(stateDir, FILE);
  const secret = (await existing(path)) ?? (await made(stateDir, path));
  if (secret.length === SECRET_BYTES) return secret;
  throw new Error(
    `${path} has ${secret.length} bytes where ${SECRET_BYTES} were expected: delete it, and workers will come back as new ones`,
  );
}

/** A secret for one purpose, which says nothing of the one it is made from. */
export function derivedSecret(secret: Buffer, purpose: string): string {
  return createHmac('sha256', secret).update(purpose).digest('hex');
}

async function existing(path: string): Promise<Buffer | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new Error(`cannot read ${path}: ${error.message}`);
  });
}

/** Appears whole or not at all; when another process was first, its secret counts. */
async function made(stateDir: string, path: string): Promise<Buffer> {
  const temporary = join(stateDir, `.${FILE}-${randomUUID()}`);
  const secret = randomBytes(SECRET_BYTES);
  try {
    await mkdir(stateDir, { recursive: true, mode: FOLDER_MODE });
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(secret);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    return secret;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return readFile(path);
    throw new Error(`cannot write in the state folder ${stateDir} (${message}): choose another with --state`);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
