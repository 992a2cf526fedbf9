// Writes checkpoints in a thread of its own: training goes on meanwhile. If the thread dies, what it was asked for fails,
// and the next job starts another.

import type { Worker } from 'node:worker_threads';
import { startThread } from '../../thread.ts';
import type { WriteJob, Written } from './folder.ts';

export type ToWriter = { readonly id: number; readonly job: WriteJob };
export type FromWriter =
  | { readonly id: number; readonly ok: true; readonly written: Written }
  | { readonly id: number; readonly ok: false; readonly error: string; readonly code: string | null };

/** What a disk says of itself: `code` is the system's, such as ENOSPC. */
export class DiskError extends Error {
  readonly code: string | null;

  constructor(message: string, code: string | null) {
    super(message);
    this.code = code;
  }
}

/** How a job is done. Rejects with a `DiskError`. */
export type Write = (job: WriteJob) => Promise<Written>;

type Pending = { resolve: (written: Written) => void; reject: (error: DiskError) => void };

export class WriterThread {
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | null = null;
  #asked = 0;

  /** Starts the thread, so that the first job does not wait for that. */
  warm(): void {
    this.#thread ??= this.#start();
  }

  /** The memory of the job's vectors goes to the thread. */
  write: Write = (job) => {
    const thread = (this.#thread ??= this.#start());
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      thread.postMessage({ id, job } satisfies ToWriter, buffersOf(job));
    });
  };

  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#lost(thread, 'the coordinator is closing');
    await thread.terminate();
  }

  #start(): Worker {
    const thread = startThread(new URL('./thread.ts', import.meta.url));
    thread.on('message', (answer: FromWriter) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.ok) pending?.resolve(answer.written);
      else pending?.reject(new DiskError(answer.error, answer.code));
    });
    thread.on('error', (error) => this.#lost(thread, error.message));
    thread.on('exit', () => this.#lost(thread, 'the writing thread ended'));
    return thread;
  }

  #lost(thread: Worker, why: string): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const { reject } of this.#pending.values()) reject(new DiskError(why, null));
    this.#pending.clear();
  }
}

/** Each once: two vectors may lie in one. */
function buffersOf({ encoded: { head, vectors } }: WriteJob): ArrayBuffer[] {
  return [...new Set([head.buffer, ...vectors.map(({ buffer }) => buffer as ArrayBuffer)])];
}
