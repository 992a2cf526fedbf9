// A process of ours that may be killed at any moment: what it said, how it ended, and whether that was our doing.

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Answers how much lives on the process's heap. */
const LIVE_BYTES = fileURLToPath(new URL('../soak/livebytes.ts', import.meta.url));

/** In bytes. */
export interface LiveBytes {
  readonly objects: number;
  /** What functions were compiled to: for hours, ever rarer ones are. */
  readonly code: number;
  readonly buffers: number;
}

const ANSWER_MS_MAX = 30_000;
/** Kept of what a process prints: enough for the end of a stack trace. */
const TAIL_CHARS = 4_000;

export interface Ending {
  readonly killed: boolean;
  readonly code: number | null;
  readonly tail: string;
}

export class Victim {
  /** Resolves when it has ended, by us or by itself. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #killed = false;
  #tail = '';

  /** `watched`: it can be asked for its live bytes. */
  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv, watched = false) {
    const asked = watched ? ['--expose-gc', '--import', LIVE_BYTES] : [];
    this.#child = spawn(process.execPath, ['--import', 'tsx', ...asked, script, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...(watched ? (['ipc'] as const) : [])],
    });
    const hear = (chunk: Buffer): void => {
      this.#tail = (this.#tail + chunk.toString()).slice(-TAIL_CHARS);
    };
    this.#child.stdout?.on('data', hear);
    this.#child.stderr?.on('data', hear);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => resolve({ killed: this.#killed, code, tail: this.#tail }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it holds after a full collection, of one that is watched; null when it does not say so in time. */
  liveBytes(): Promise<LiveBytes | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(null), ANSWER_MS_MAX);
      const heard = (bytes: unknown): void => answer(bytes as LiveBytes);
      const answer = (bytes: LiveBytes | null): void => {
        clearTimeout(timer);
        this.#child.off('message', heard);
        resolve(bytes);
      };
      this.#child.once('message', heard);
      this.#child.send('live bytes', (error) => error && answer(null));
    });
  }

  /** As when the power goes: no goodbye, nothing written. */
  kill(): void {
    this.#killed = true;
    this.#child.kill('SIGKILL');
  }
}
