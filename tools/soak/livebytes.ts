// Loaded into a process that is watched (`--expose-gc --import`): asked over its channel, it says what lives on its heap after a
// full collection. Looks without one show garbage, some tens of MB that come and go.

const collect = globalThis.gc ?? (() => undefined);

process.on('message', (question) => {
  if (question !== 'live bytes') return;
  collect();
  collect(); // what had a finalizer goes the second time
  process.send?.(process.memoryUsage().heapUsed);
});
process.channel?.unref();
