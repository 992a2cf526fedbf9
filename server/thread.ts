// Starts a TypeScript file as a worker thread. Node 20 does not pass tsx's loader on to threads: each registers it itself.

import { Worker, type WorkerOptions } from 'node:worker_threads';

/** A thread that runs the module at `url`. */
export function startThread(url: URL, options: WorkerOptions = {}): Worker {
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); })`;
  return new Worker(boot, { ...options, eval: true });
}
