// An honest worker that goes on pushing while others attack, and how long each of its exchanges took. In a process of its
// own: beside the attackers it would wait for their event loop, and measure them.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('honest-main.ts', import.meta.url));

/** `take` begins anew afterwards. */
export type Question = 'take' | 'count' | 'stop';

export interface Answer {
  /** 95th percentile of an exchange; -1 when there was none. */
  readonly p95Ms: number;
  readonly perSecond: number;
  readonly count: number;
}

export class Honest {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  #complaints = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr!.on('data', (text: Buffer) => (this.#complaints += text.toString()));
    this.#ended = once(child, 'exit').then(() => Promise.reject(new Error(`the honest worker ended: ${this.#complaints}`))); // prettier-ignore
    this.#ended.catch(() => undefined); // told to whoever asks next
  }

  static async at(url: string): Promise<Honest> {
    const child = fork(MAIN, [url], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const honest = new Honest(child);
    await honest.#answer();
    return honest;
  }

  /** Since the last call. */
  take(): Promise<Answer> {
    return this.#ask('take');
  }

  /** Exchanges since `take`. */
  async count(): Promise<number> {
    return (await this.#ask('count')).count;
  }

  /** Rejects when one of its exchanges failed. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.send('stop');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    if (this.#child.exitCode !== 0) throw new Error(`the honest worker failed: ${this.#complaints}`);
  }

  #ask(question: Question): Promise<Answer> {
    const answer = this.#answer();
    this.#child.send(question);
    return answer;
  }

  async #answer(): Promise<Answer> {
    const answered = once(this.#child, 'message') as Promise<[Answer]>;
    return (await Promise.race([answered, this.#ended]))[0];
  }
}
