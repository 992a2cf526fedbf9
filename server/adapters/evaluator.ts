// Computes for the coordinator in a thread of its own, so that the event loop serves workers meanwhile: θ measured on
// held-out samples, the gradient there, and leases that are checked. One thread for all runs; if it dies, what it was asked
// for fails, and the next question starts another.

import type { Worker } from 'node:worker_threads';
import type { Vec } from '../../shared/vec.ts';
import type { Comparison } from '../core/defence/verdict.ts';
import type { Split } from '../core/events.ts';
import { startThread } from '../thread.ts';
import type {
  Check,
  EvaluatorSubject,
  Figures,
  FromEvaluator,
  QuestionName,
  Questions,
  ToEvaluator,
} from './evaluator/messages.ts';

export type { Check, EvaluatorSubject, Figures } from './evaluator/messages.ts';

type Answer = Questions[QuestionName]['answer'];
type Pending = { resolve: (answer: Answer) => void; reject: (error: Error) => void };

export class Evaluator {
  readonly #subjects = new Map<string, EvaluatorSubject>();
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | null = null;
  #asked = 0;

  add(subject: EvaluatorSubject): void {
    this.#subjects.set(subject.run, subject);
    this.#thread?.postMessage({ type: 'subject', subject } satisfies ToEvaluator);
  }

  /** Loss (nats) and accuracy at θ, whose memory goes to the thread. Rejects when the thread fails, as the others do. */
  evaluate(run: string, split: Split, theta: Vec): Promise<Figures> {
    return this.#ask('evaluate', run, { split, theta }, [theta]);
  }

  /** The gradient at θ of the mean loss over held-out samples. θ's memory goes to the thread. */
  trust(run: string, theta: Vec): Promise<Vec> {
    return this.#ask('trust', run, { theta }, [theta]);
  }

  /** What the lease asks for, compared with what was pushed. Both vectors' memory goes to the thread. */
  recompute(run: string, check: Check): Promise<Comparison | null> {
    return this.#ask('recompute', run, check, [check.params, check.pushed]);
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#lost(thread, new Error('the coordinator is closing'));
    await thread.terminate();
  }

  #ask<K extends QuestionName>(
    type: K,
    run: string,
    asked: Questions[K]['asked'],
    given: readonly Vec[],
  ): Promise<Questions[K]['answer']> {
    const thread = (this.#thread ??= this.#start());
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      thread.postMessage(
        { ...asked, type, id, run },
        given.map(({ buffer }) => buffer as ArrayBuffer),
      );
    });
  }

  #start(): Worker {
    const thread = startThread(new URL('./evaluator-thread.ts', import.meta.url));
    thread.on('message', (answer: FromEvaluator) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.ok) pending?.resolve(answer.answer);
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
