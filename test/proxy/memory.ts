// What this process holds, after the garbage has been collected.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes outside the heap: bodies, frames, what sockets hold. */
export function bufferBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

export function residentBytes(): number {
  collect();
  return process.memoryUsage().rss;
}
