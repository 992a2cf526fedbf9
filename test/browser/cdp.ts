// Chromium by its own protocol, without Playwright, which keeps every page visible and awake: here tabs can be hidden and
// frozen, and a worker's heap can be read.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { ARGUMENTS } from './arguments.ts';
import { findChromium, HOW_TO_GET_CHROMIUM } from './chromium.ts';

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: { readonly sessionId: string; readonly targetInfo: { readonly type: string } };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
type Send = <T>(method: string, params?: object, session?: string) => Promise<T>;
interface Evaluated<T> {
  readonly result: { readonly value: T };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

/** The page or a worker of it. */
export class Target {
  readonly #send: Send;
  readonly #session: string;

  constructor(send: Send, session: string) {
    this.#send = send;
    this.#session = session;
  }

  send<T>(method: string, params: object = {}): Promise<T> {
    return this.#send(method, params, this.#session);
  }

  /** The value of an expression of JavaScript, awaited; plain data. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails: wrong } = await this.send<Evaluated<T>>('Runtime.evaluate', options);
    if (wrong) throw new Error(wrong.exception?.description ?? wrong.text);
    return result.value;
  }

  /** Bytes of objects and buffers in use after a collection. */
  async heapBytes(): Promise<number> {
    await this.send('HeapProfiler.collectGarbage');
    const use = await this.send<{ usedSize: number; backingStorageSize?: number }>('Runtime.getHeapUsage');
    return use.usedSize + (use.backingStorageSize ?? 0);
  }
}

export class Tab extends Target {
  readonly #workers: Target[] = [];

  /** Its newest Web Worker. */
  get worker(): Target {
    const newest = this.#workers.at(-1);
    if (!newest) throw new Error('the page has no worker');
    return newest;
  }

  attached(worker: Target): void {
    this.#workers.push(worker);
  }

  /** As when a person has left the tab alone for so long that the browser stops it. */
  async freeze(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  async thaw(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'active' });
  }

  async look(): Promise<void> {
    await this.send('Page.bringToFront');
  }

  async close(): Promise<void> {
    await this.send('Page.close');
  }
}

export interface PlainBrowser {
  open(url: string): Promise<Tab>;
  /** As on another device: with a cache, storage and keys of its own. */
  openApart(url: string): Promise<Tab>;
  close(): Promise<void>;
}

export async function plainBrowser(...more: readonly string[]): Promise<PlainBrowser> {
  const path = findChromium();
  if (path === null) throw new Error(HOW_TO_GET_CHROMIUM);
  const profile = await mkdtemp(join(tmpdir(), 'murmuration-browser-'));
  const options = [...ARGUMENTS, '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...more, 'about:blank'];
  const browser = spawn(path, options, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => browser.once('exit', resolve));
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    browser.stderr.setEncoding('utf8').on('data', (text: string) => {
      const listening = /DevTools listening on (ws:\S+)/.exec((said += text));
      if (listening) resolve(listening[1]!);
    });
    browser.once('exit', () => reject(new Error(`Chromium did not start: ${said}`)));
  });
  const { send, tabs, close } = await connect(address);
  const open = async (url: string, where: object = {}): Promise<Tab> => {
    const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url, ...where });
    const to = { targetId, flatten: true };
    const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', to);
    const tab = new Tab(send, sessionId);
    tabs.set(sessionId, tab);
    await tab.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: true });
    return tab;
  };
  return {
    open: (url) => open(url),
    openApart: async (url) => open(url, await send<{ browserContextId: string }>('Target.createBrowserContext')),
    close: async () => {
      close();
      browser.kill('SIGKILL');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function connect(address: string): Promise<{ send: Send; tabs: Map<string, Tab>; close: () => void }> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const tabs = new Map<string, Tab>();
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let requests = 0;
  const send: Send = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      waiting.set(++requests, { resolve, reject });
      socket.send(JSON.stringify({ id: requests, method, params, ...(sessionId && { sessionId }) }));
    });
  socket.on('message', (data: Buffer) => {
    const { id, method, sessionId, params, result, error } = JSON.parse(data.toString()) as Answer;
    if (id !== undefined) {
      const request = waiting.get(id);
      waiting.delete(id);
      if (error) request?.reject(new Error(error.message));
      else request?.resolve(result as never);
    } else if (method === 'Target.attachedToTarget' && params?.targetInfo.type === 'worker') {
      tabs.get(sessionId ?? '')?.attached(new Target(send, params.sessionId));
    }
  });
  return { send, tabs, close: () => socket.close() };
}
