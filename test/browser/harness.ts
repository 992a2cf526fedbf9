// Real Chromium on the real pages of a real coordinator.

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { RunConfig } from '../../shared/config.ts';
import type { RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { ADMIN_TOKEN, start } from '../server/harness.ts';
import type { Started, StartOptions } from '../../server/host/start.ts';
import { ARGUMENTS } from './arguments.ts';
import { findChromium, HOW_TO_GET_CHROMIUM } from './chromium.ts';
import { PATIENCE_MS } from './patience.ts';

export { PATIENCE_MS };

export interface Stage {
  /** The one of now: see `leave` and `comeBack`. */
  readonly coordinator: Started;
  readonly context: BrowserContext;
  /** A page; everything that its console says against it is collected in `complaints`. */
  open(path: string): Promise<Page>;
  readonly complaints: string[];
  run(id?: string): Promise<RunSummary>;
  workers(id?: string): Promise<WorkerRow[]>;
  command(command: 'pause' | 'resume' | 'stop', id?: string): Promise<void>;
  /** The coordinator ends. */
  leave(): Promise<void>;
  /** Another one begins at the same address, with the same options. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function stage(runs: readonly RunConfig[], options: Partial<StartOptions> = {}): Promise<Stage> {
  const path = findChromium();
  if (path === null) throw new Error(HOW_TO_GET_CHROMIUM);
  let coordinator = await start(runs, options);
  const browser: Browser = await chromium.launch({ executablePath: path, args: [...ARGUMENTS] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const first = runs[0]!.id;
  const get = async <T>(address: string): Promise<T> => (await fetch(coordinator.url + address)).json() as Promise<T>;
  return {
    get coordinator() {
      return coordinator;
    },
    context,
    complaints,
    open: async (address) => {
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        // A coordinator that keeps no records says so by a 404, which the browser notes.
        const expected = message.location().url.includes('/events?');
        if (message.type() === 'error' && !expected) complaints.push(message.text());
      });
      await page.goto(coordinator.url + address);
      return page;
    },
    run: (id = first) => get(`/api/runs/${id}`),
    workers: (id = first) => get(`/api/runs/${id}/workers`),
    command: async (command, id = first) => {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      await fetch(`${coordinator.url}/api/runs/${id}/${command}`, { method: 'POST', headers });
    },
    leave: () => coordinator.close(),
    comeBack: async () => {
      coordinator = await start(runs, { ...options, port: Number(new URL(coordinator.url).port) });
    },
    close: async () => {
      await browser.close();
      await coordinator.close();
    },
  };
}
