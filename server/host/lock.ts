// One coordinator a state folder: whoever has it listens on a socket in it. The system closes the socket of a process that is
// killed, so nothing is left that has to be guessed stale: a socket that does not answer is nobody's.

import { createHash, randomUUID } from 'node:crypto';
import { realpath, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILE = 'lock';
/** Paths of sockets are shorter than others: 104 bytes with the final zero on macOS, 108 on Linux. */
const SOCKET_PATH_BYTES_MAX = 100;
/** The other side is a process of this machine that does nothing but accept. */
const ANSWER_MS = 2000;
/** The folder cannot take a socket: it is read only, full, somebody else's, or of a file system without sockets. */
const NO_SOCKET_HERE = new Set(['EROFS', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL']);

/** Gives the folder back. */
export type Unlock = () => Promise<void>;

/** Takes the folder, which must be there. Throws one sentence when another process has it. */
export async function lockFolder(folder: string): Promise<Unlock> {
  const addresses = await addressesOf(folder);
  for (const address of addresses) if (await answers(address)) throw taken(folder);
  let failed: unknown;
  for (const address of addresses) {
    try {
      const server = await listen(address, folder);
      return () => new Promise((resolve) => server.close(() => resolve()));
    } catch (error) {
      if (!NO_SOCKET_HERE.has(String((error as NodeJS.ErrnoException).code))) throw error;
      failed = error;
    }
  }
  throw failed;
}

/** In the folder itself; else, where that cannot be, in the system's folder for what is temporary. */
async function addressesOf(folder: string): Promise<string[]> {
  const real = await realpath(folder);
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 20);
  if (process.platform === 'win32') return [`\\\\.\\pipe\\murmuration-${hash}`];
  const addresses = [join(real, FILE), join(tmpdir(), `murmuration-${hash}`)];
  return addresses.filter((address) => Buffer.byteLength(address) <= SOCKET_PATH_BYTES_MAX);
}

/** Whether a process is there; one that has no time to say so counts. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (there: boolean): void => {
      socket.destroy();
      resolve(there);
    };
    socket.setTimeout(ANSWER_MS, () => end(true));
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}

async function listen(address: string, folder: string): Promise<Server> {
  await clear(address, folder);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? taken(folder) : error));
    server.listen(address, () => resolve(server.unref()));
  });
}

/**
 * Removes the socket that a killed process left. It is moved first, which only one of two processes can do, and asked once
 * more: somebody may have taken the folder in between.
 */
async function clear(address: string, folder: string): Promise<void> {
  if (process.platform === 'win32') return; // pipes go with their process
  const aside = join(address, '..', `.${FILE}-${randomUUID().slice(0, 8)}`);
  try {
    await rename(address, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (await answers(aside)) {
    await rename(aside, address);
    throw taken(folder);
  }
  await rm(aside, { force: true });
}

const taken = (folder: string): Error =>
  new Error(`another coordinator is using the state folder ${folder}: stop it, or choose another folder with --state`);
