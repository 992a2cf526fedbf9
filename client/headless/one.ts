// One volunteer as the process that started it sees it: its thread, its last view, and how it ended.

import type { Worker } from 'node:worker_threads';
import type { VolunteerView } from '../../shared/volunteer/view.ts';
import { bootThread } from './boot.ts';
import { Patience, type PatienceOptions } from './patience.ts';
import type { FromThread, ThreadData, ToThread } from './thread.ts';

/** After this, a volunteer that was told to leave is ended: its leases then expire by themselves. */
const FAREWELL_MS = 10_000;
/** Of an error's text: a crash inside TensorFlow.js quotes 40 kB of its own source. */
const ERROR_CHARS_MAX = 300;

export interface End {
  readonly ok: boolean;
  /** One sentence, when there is something to say. */
  readonly reason: string | null;
}

export interface OneOptions extends ThreadData, Omit<PatienceOptions, 'giveUp'> {
  readonly onChange: (view: VolunteerView) => void;
}

export class OneVolunteer {
  readonly name: string;
  readonly ended: Promise<End>;
  view: VolunteerView | null = null;
  readonly #thread: Worker;
  readonly #options: OneOptions;
  readonly #patience: Patience;
  #end: End | null = null;
  #farewellTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OneOptions) {
    const { url, run, name, backend, slowdown, key, joinCode, ca } = options;
    const data: ThreadData = { url, run, name, backend, slowdown, key, joinCode, ca };
    this.name = options.name;
    this.#options = options;
    const giveUp = (ms: number): void => this.stop({ ok: false, reason: `no connection to ${url} for ${ms / 1000} s` });
    this.#patience = new Patience({ connectMsMax: options.connectMsMax, awayMsMax: options.awayMsMax, giveUp });
    this.#thread = bootThread(new URL('./thread.ts', import.meta.url), data);
    this.#thread.on('message', (view: FromThread) => this.#see(view));
    this.#thread.on('error', (error) => (this.#end = { ok: false, reason: error.message.slice(0, ERROR_CHARS_MAX) }));
    this.ended = new Promise((resolve) => {
      this.#thread.on('exit', () => {
        this.#patience.end();
        clearTimeout(this.#farewellTimer);
        resolve(this.#end ?? { ok: false, reason: 'the thread ended by itself' });
      });
    });
  }

  /** Gives its leases back and leaves. `ended` tells when it has. */
  stop(end: End = { ok: true, reason: null }): void {
    this.#end ??= end;
    this.#thread.postMessage('stop' satisfies ToThread);
    this.#expectExit();
  }

  #expectExit(): void {
    this.#farewellTimer ??= setTimeout(() => void this.#thread.terminate(), FAREWELL_MS);
  }

  #see(view: VolunteerView): void {
    const before = this.view;
    this.view = view;
    if (before?.phase === view.phase && before.message === view.message) return;
    this.#options.onChange(view);
    if (view.phase === 'failed' || view.phase === 'finished') {
      this.#end ??= { ok: view.phase === 'finished', reason: view.message };
      this.#expectExit();
    }
    this.#patience.see(view.phase);
  }
}
