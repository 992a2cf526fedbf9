// Measures θ on held-out samples in a thread of its own, so that the event loop serves workers meanwhile. One thread for
// all runs; if it dies, what it was asked for fails, and the next question starts another.

import type { Worker } from 'node:worker_threads';
import type { Samples } from '../../shared/data/spec.ts';
import type { Layout } from '../../shared/model/layout.ts';
import type { ModelSpec } from '../../shared/model/spec.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Split } from '../core/events.ts';
import { startThread } from '../thread.ts';

/** All that the thread needs to know of a run, sent to it once. */
export interface EvaluatorSubject {
  readonly run: string;
  readonly model: ModelSpec;
  readonly layout: Layout;
  readonly scale: { readonly mean: number; readonly deviation: number };
  readonly splits: Readonly<Record<Split, Samples>>;
}

export type ToEvaluator =
  | { readonly type: 'subject'; readonly subject: EvaluatorSubject }
  | {
      readonly type: 'evaluate';
      readonly id: number;
      readonly run: string;
      readonly split: Split;
      readonly theta: Vec;
    };
export type FromEvaluator =
  | { readonly id: number; readonly ok: true; readonly loss: number; readonly accuracy: number }
  | { readonly id: number; readonly ok: false; readonly error: string };

export interface Figures {
  readonly loss: number;
  readonly accuracy: number;
}

type Pending = { resolve: (figures: Figures) => void; reject: (error: Error) => void };

export class Evaluator {
  readonly #subjects = new Map<string, EvaluatorSubject>();
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | null = null;
  #asked = 0;

  add(subject: EvaluatorSubject): void {
    this.#subjects.set(subject.run, subject);
    this.#thread?.postMessage({ type: 'subject', subject } satisfies ToEvaluator);
  }

  /** Loss (nats) and accuracy at θ, whose memory goes to the thread. Rejects when the thread fails. */
  evaluate(run: string, split: Split, theta: Vec): Promise<Figures> {
    const thread = (this.#thread ??= this.#start());
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      thread.postMessage({ type: 'evaluate', id, run, split, theta } satisfies ToEvaluator, [
        theta.buffer as ArrayBuffer,
      ]);
    });
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#lost(thread, new Error('the coordinator is closing'));
    await thread.terminate();
  }

  #start(): Worker {
    const thread = startThread(new URL('./evaluator-thread.ts', import.meta.url));
    thread.on('message', (answer: FromEvaluator) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.ok) pending?.resolve({ loss: answer.loss, accuracy: answer.accuracy });
      else pending?.reject(new Error(answer.error));
    });
    thread.on('error', (error) => this.#lost(thread, error));
    thread.on('exit', () => this.#lost(thread, new Error('the evaluation thread ended')));
    for (const subject of this.#subjects.values())
      thread.postMessage({ type: 'subject', subject } satisfies ToEvaluator);
    return thread;
  }

  /** A thread that breaks is heard of twice, by its error and by its end; there may be another by then. */
  #lost(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
