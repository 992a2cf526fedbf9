// Loaded into a process that is watched (`--expose-gc --import`): asked over its channel, it says how many bytes its objects, its
// buffers and its compiled code have after a full collection. Looks without one show garbage, some tens of MB that come and go.

import { getHeapCodeStatistics } from 'node:v8';

const collect = globalThis.gc;
if (!collect) throw new Error('a process is watched with --expose-gc');

process.on('message', (question) => {
  if (question !== 'live bytes') return;
  collect();
  collect(); // what had a finalizer goes the second time
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const { code_and_metadata_size: machine, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
  const code = machine + bytecode;
  process.send?.({ objects: heapUsed - code, code, buffers: arrayBuffers });
});
process.channel?.unref();
