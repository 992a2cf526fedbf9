// Starts a TypeScript file as a thread. Node 20 does not pass tsx's loader on to threads: each registers it itself.

import { Worker } from 'node:worker_threads';

/** The loader is found from the current folder, which npm makes the project's. */
export function bootThread(url: URL, workerData: unknown): Worker {
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); })`;
  return new Worker(boot, { eval: true, workerData });
}
