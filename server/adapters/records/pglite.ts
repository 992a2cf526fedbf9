// A link to PGlite in a folder. It runs in a thread of its own, so that what it computes holds up no worker.

import type { Worker } from 'node:worker_threads';
import { startThread } from '../../thread.ts';
import type { Answered, Link, Opened, OpenLink, Remark } from './link.ts';

export type ToPglite =
  | { readonly id: number; readonly type: 'open' | 'maintain' | 'close' }
  | { readonly id: number; readonly type: 'query'; readonly sql: string; readonly values: readonly unknown[] };
export type FromPglite =
  | ({ readonly id: number; readonly ok: true; readonly remark: Remark | null; readonly made: boolean } & Answered)
  | { readonly id: number; readonly ok: false; readonly error: string; readonly code: string | null };

type Answer = Extract<FromPglite, { ok: true }>;
type Question = { type: 'open' | 'maintain' | 'close' } | { type: 'query'; sql: string; values: readonly unknown[] };
type Waiting = { resolve: (answer: Answer) => void; reject: (error: Error) => void };

/** Asks the thread; everything that waits rejects when it ends. */
class Conversation {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #ended: Error | null = null;

  constructor(thread: Worker) {
    this.#thread = thread;
    thread.on('message', (answer: FromPglite) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) waiting?.resolve(answer);
      else waiting?.reject(Object.assign(new Error(answer.error), { code: answer.code }));
    });
    thread.on('error', (error) => this.end(error));
    thread.on('exit', () => this.end(new Error('the thread of the records ended')));
  }

  ask(question: Question): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread.postMessage({ id, ...question } satisfies ToPglite);
    });
  }

  end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** Opens the folder, and makes it where there is none, as often as it is called; one thread at a time has it. */
export function pgliteIn(folder: string): OpenLink {
  let before: Promise<unknown> = Promise.resolve();
  const open = async (signal: AbortSignal, remarkBefore: Remark | null): Promise<Opened> => {
    await before;
    signal.throwIfAborted();
    const thread = startThread(new URL('./pglite-thread.ts', import.meta.url), { workerData: { folder } });
    const conversation = new Conversation(thread);
    const stop = (): void => {
      conversation.end(new Error('the database gave no answer in time'));
      before = thread.terminate();
    };
    signal.addEventListener('abort', stop, { once: true });
    const close = async (): Promise<void> => {
      await conversation.ask({ type: 'close' }).finally(stop);
      await before;
    };
    try {
      const { remark, made } = await conversation.ask({ type: 'open' });
      if (made) {
        await close();
        return await open(signal, remark);
      }
      return { link: linkOver(conversation, { close, destroy: stop }), remark: remark ?? remarkBefore };
    } catch (error) {
      stop();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
  return (signal) => open(signal, null);
}

function linkOver(conversation: Conversation, ends: Pick<Link, 'close' | 'destroy'>): Link {
  return {
    query: (sql, values) => conversation.ask({ type: 'query', sql, values }),
    maintain: async () => void (await conversation.ask({ type: 'maintain' })),
    ...ends,
  };
}
