// A live coordinator and its workers, each a process of its own on one state folder and one port: started, killed, started
// again, and asked over the API how it goes.

import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EpochAccount } from '../../server/core/ledger.ts';
import type { NoteRow, RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { Victim, type Ending, type LiveBytes } from './process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ASK_EVERY_MS = 100;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** A start that takes longer has failed: what is promised is 5 s. */
const START_MS_MAX = 60_000;

export interface SceneOptions {
  readonly runFile: string;
  readonly workers: number;
  /** Empty at first. */
  readonly folder: string;
  /** The coordinator's heap can be looked at. */
  readonly watched?: boolean;
}

export interface Outcome {
  readonly run: RunSummary;
  readonly ledger: readonly EpochAccount[];
  readonly workers: readonly WorkerRow[];
}

export class Scene {
  readonly #options: SceneOptions;
  readonly #port: number;
  #coordinator: Victim | null = null;
  readonly #workers: (Victim | null)[];
  /** Processes that ended though nobody killed them, and before the end. */
  readonly accidents: string[] = [];
  /** From a start of the coordinator to its first answer, in ms. */
  readonly startsMs: number[] = [];
  #closing = false;
  readonly #stop = (): void => void this.close().finally(() => process.exit(1));

  private constructor(options: SceneOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#workers = Array.from({ length: options.workers }, () => null);
  }

  static async open(options: SceneOptions): Promise<Scene> {
    const scene = new Scene(options, await freePort());
    // Who ends this process does not want ten others to go on without it.
    for (const signal of SIGNALS) process.once(signal, scene.#stop);
    await scene.startCoordinator();
    for (let i = 0; i < options.workers; i++) scene.startWorker(i);
    return scene;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it serves. */
  async startCoordinator(): Promise<void> {
    const { runFile, folder, watched } = this.#options;
    const startMs = performance.now();
    const args = [
      '--run',
      runFile,
      '--port',
      String(this.#port),
      '--state',
      join(folder, 'state'),
      '--log-level',
      'warn',
    ];
    const victim = new Victim(join(ROOT, 'server/main.ts'), args, { ADMIN_TOKEN: 'chaos' }, watched);
    this.#coordinator = victim;
    this.#watch(victim, 'the coordinator', () => this.#coordinator === victim);
    while ((await this.ask('/api/health')) === null) {
      if (performance.now() - startMs > START_MS_MAX) throw new Error(`the coordinator does not serve after ${START_MS_MAX / 1000} s`); // prettier-ignore
      await pause(ASK_EVERY_MS);
    }
    this.startsMs.push(performance.now() - startMs);
  }

  /** What the coordinator holds after a full collection; null while it does not answer. Of a scene that is watched. */
  async liveBytes(): Promise<LiveBytes | null> {
    return (await this.#coordinator?.liveBytes()) ?? null;
  }

  async killCoordinator(): Promise<void> {
    const victim = this.#coordinator;
    victim?.kill();
    await victim?.ended;
  }

  startWorker(index: number): void {
    const { folder } = this.#options;
    const args = ['--url', this.url, '--name', `worker ${index + 1}`, '--key', join(folder, `key-${index}.json`)];
    const victim = new Victim(join(ROOT, 'client/headless/main.ts'), args, {});
    this.#workers[index] = victim;
    this.#watch(victim, `worker ${index + 1}`, () => this.#workers[index] === victim);
  }

  /** False when it was down already. */
  killWorker(index: number): boolean {
    const victim = this.#workers[index];
    this.#workers[index] = null;
    victim?.kill();
    return victim !== null;
  }

  /** The answer's JSON; null when nobody answers now. */
  async ask<T>(path: string): Promise<T | null> {
    try {
      const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(5_000) });
      return response.ok ? ((await response.json()) as T) : null;
    } catch {
      return null;
    }
  }

  /** What there is of the run now; null when the coordinator is down. */
  async outcome(): Promise<Outcome | null> {
    const [run] = (await this.ask<RunSummary[]>('/api/runs')) ?? [];
    if (!run) return null;
    const ledger = await this.ask<EpochAccount[]>(`/api/runs/${run.id}/ledger`);
    const workers = await this.ask<WorkerRow[]>(`/api/runs/${run.id}/workers`);
    return ledger && workers && { run, ledger, workers };
  }

  /** Of workers that are all honest. Waits for the records, which take their time to start. */
  async bans(run: string): Promise<NoteRow[]> {
    for (;;) {
      const bans = await this.ask<NoteRow[]>(`/api/runs/${run}/events?kind=banned&limit=200`);
      if (bans) return bans;
      await pause(ASK_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const signal of SIGNALS) process.off(signal, this.#stop);
    const victims = [this.#coordinator, ...this.#workers].filter((victim) => victim !== null);
    for (const victim of victims) victim.kill();
    await Promise.all(victims.map(({ ended }) => ended));
  }

  /** Resolves when every worker is there. */
  async assembled(): Promise<void> {
    const { workers } = this.#options;
    while (((await this.ask<RunSummary[]>('/api/runs')) ?? [])[0]?.workers !== workers) await pause(ASK_EVERY_MS);
  }

  /** A worker that ends with 0 has seen the run's end; one that came after it has nothing to do. */
  #watch(victim: Victim, name: string, current: () => boolean): void {
    void victim.ended.then(async ({ killed, code, tail }: Ending) => {
      if (killed || this.#closing || !current() || code === 0) return;
      const [run] = (await this.ask<RunSummary[]>('/api/runs')) ?? [];
      if (run && run.status !== 'running') return;
      this.accidents.push(`${name} ended by itself with ${code}: ${complaint(tail)}`);
    });
  }
}

/** From the first line that speaks of an error, else the last: not the progress before it. */
function complaint(text: string): string {
  const lines = text.trim().split('\n');
  const from = lines.findIndex((line) => /error|exception|rejection/i.test(line));
  return lines.slice(from).join(' ').slice(0, 600);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
