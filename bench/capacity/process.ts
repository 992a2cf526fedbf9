// A coordinator of the capacity bench, as its parent sees it, and the folder with its state and its certificate.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readAuthority } from '../../client/headless/authority.ts';
import { ownNames, writeCertificates } from '../../tools/dev-cert.ts';

export interface Setup {
  readonly run: string;
  readonly stateDir: string;
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** `begin` counts anew from now on. */
export type Question = 'begin' | 'figures';

export interface Answer {
  readonly url: string;
  /** 99th percentile of how late the event loop was since `begin`. */
  readonly delayP99Ms: number;
  readonly cpuSeconds: number;
  /** After a full collection. */
  readonly residentBytes: number;
  /** Of the heap, and of what JavaScript holds outside of it. */
  readonly liveBytes: number;
}

const at = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** A process of the bench, and its first message. */
export async function child<T>(file: string, args: readonly string[]): Promise<[ChildProcess, T]> {
  const made = fork(at(file), args, { execArgv: ['--import', 'tsx', '--expose-gc'] });
  const ended = once(made, 'exit').then(() => Promise.reject(new Error(`${file} ended before it was ready`)));
  const [first] = (await Promise.race([once(made, 'message'), ended])) as [T];
  ended.catch(() => undefined);
  return [made, first];
}

export class BenchCoordinator {
  readonly url: string;
  /** Of its certificate, PEM; null over plain http. */
  readonly ca: string | null;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(made: ChildProcess, url: string, at: { readonly ca: string | null; readonly folder: string }) {
    this.#process = made;
    this.url = url;
    this.ca = at.ca;
    this.#folder = at.folder;
  }

  static async start(run: string, scheme: 'http' | 'https'): Promise<BenchCoordinator> {
    const folder = await mkdtemp(join(tmpdir(), 'murmuration-bench-'));
    const tls = scheme === 'http' ? null : await writeCertificates(folder, ownNames(), Date.now());
    const ca = await readAuthority(tls?.ca);
    const setup: Setup = { run, stateDir: join(folder, 'state'), tls };
    const [made, { url }] = await child<Answer>('coordinator.ts', [JSON.stringify(setup)]);
    return new BenchCoordinator(made, url, { ca, folder });
  }

  async ask(question: Question): Promise<Answer> {
    const answered = once(this.#process, 'message') as Promise<[Answer]>;
    this.#process.send(question);
    return (await answered)[0];
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
