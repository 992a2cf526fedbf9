// What the state folder keeps of the operator, for the owner alone: the token, and the sessions that were signed out of.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { randomToken } from '../adapters/http/operator.ts';

export const TOKEN_FILE = 'admin-token';
const ENDED_FILE = 'ended-sessions.json';
const endedSchema = z.array(z.tuple([z.string(), z.number()]));
export type Ended = z.infer<typeof endedSchema>;

/** The token of a state folder, which is made when it is not there. Throws one sentence. */
export async function readAdminToken(stateDir: string): Promise<string> {
  const path = join(stateDir, TOKEN_FILE);
  const kept = (await read(path))?.trim();
  if (kept !== undefined && /^[\x21-\x7e]{1,256}$/.test(kept)) return kept;
  if (kept !== undefined)
    throw new Error(`${path} has no token: expected one line of visible characters; delete it to get a new one`);
  const token = randomToken();
  await keepAdminToken(stateDir, token);
  return token;
}

export const keepAdminToken = (stateDir: string, token: string): Promise<void> =>
  write(stateDir, TOKEN_FILE, `${token}\n`);

/** None when there are none, or the file is damaged: sessions end by themselves within the day. */
export async function readEnded(stateDir: string): Promise<Ended> {
  const text = await read(join(stateDir, ENDED_FILE));
  try {
    return endedSchema.parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}

export const keepEnded = (stateDir: string, ended: readonly (readonly [string, number])[]): Promise<void> =>
  write(stateDir, ENDED_FILE, JSON.stringify(ended));

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`cannot read ${path}: ${error.message}`);
  });
}

/** Whole or not at all. */
async function write(stateDir: string, name: string, text: string): Promise<void> {
  const path = join(stateDir, name);
  const temporary = join(stateDir, `.${name}-${randomUUID()}`);
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    throw new Error(`cannot write ${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
