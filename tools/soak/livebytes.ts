// Loaded into a process that is watched (`--expose-gc --import`): asked over its channel, it says how many bytes its objects,
// and its buffers, have after a full collection. Looks without one show garbage, some tens of MB that come and go.

const collect = globalThis.gc;
if (!collect) throw new Error('a process is watched with --expose-gc');

process.on('message', (question) => {
  if (question !== 'live bytes') return;
  collect();
  collect(); // what had a finalizer goes the second time
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.send?.({ heap: heapUsed, buffers: arrayBuffers });
});
process.channel?.unref();
