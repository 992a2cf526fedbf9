// The writing thread: hashing and the disk, which may be slow. See writer.ts.

import { parentPort } from 'node:worker_threads';
import { realDisk } from './disk.ts';
import { writeCheckpoint } from './folder.ts';
import type { FromWriter, ToWriter } from './writer.ts';

if (!parentPort) throw new Error('thread.ts is a worker thread: start it with writer.ts');
const port = parentPort;

function answer({ id, job }: ToWriter): FromWriter {
  try {
    return { id, ok: true, written: writeCheckpoint(realDisk, job) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { id, ok: false, error: message, code: code ?? null };
  }
}

port.on('message', (message: ToWriter) => port.postMessage(answer(message)));
