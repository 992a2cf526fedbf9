// A distributed step with one worker over loopback, against the same TensorFlow.js step alone: in a Node thread, and in a
// tab of real Chromium. The coordinator is a process of its own, as it is in life.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { startThread } from '../../server/thread.ts';
import { findChromium } from '../../test/browser/chromium.ts';
import { table } from '../timing.ts';
import type { StepFigures } from './measure.ts';

/** Software WebGPU says nothing of a GPU's speed; it shows what the exchange costs where the step leaves the thread free. */
const TAB_RUNS = [
  ['ln-mlp-f32', 'wasm'],
  ['ln-mlp-f16', 'wasm'],
  ['cnn-f32', 'wasm'],
  ['ln-mlp-f32', 'webgpu'],
] as const;

const HERE = fileURLToPath(new URL('.', import.meta.url));

export async function benchStep(): Promise<string> {
  const pages = await mkdtemp(join(tmpdir(), 'murmuration-bench-'));
  await build({
    root: HERE,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: pages, emptyOutDir: true },
  });
  const coordinator = fork(join(HERE, 'coordinator.ts'), [pages], { execArgv: ['--import', 'tsx'] });
  try {
    const [url] = (await once(coordinator, 'message')) as [string];
    const rows: string[][] = [];
    for (const run of ['ln-mlp-f32', 'ln-mlp-f16', 'cnn-f32'])
      rows.push(row('Node thread', run, await inNode(url, run)));
    for (const [run, backend] of TAB_RUNS) {
      const figures = await inTab(`${url}/?run=${run}&backend=${backend}`);
      rows.push(
        figures ? row('Chromium tab', run, figures) : ['Chromium tab', run, backend, '–', '–', '–', 'no Chromium'],
      );
    }
    return table(
      ['worker', 'model, codec', 'backend', 'parameters', 'alone ms', 'distributed ms', 'distributed ÷ alone'],
      rows,
    );
  } finally {
    coordinator.disconnect();
    await rm(pages, { recursive: true });
  }
}

async function inNode(url: string, run: string): Promise<StepFigures> {
  const thread = startThread(new URL('./node-thread.ts', import.meta.url), { workerData: { url, run } });
  const [figures] = (await once(thread, 'message')) as [StepFigures];
  await thread.terminate();
  return figures;
}

/** Chromium is started by itself, without instrumentation, which makes round trips several times slower. */
async function inTab(url: string): Promise<StepFigures | null> {
  const path = findChromium();
  if (!path) return null;
  const profile = await mkdtemp(join(tmpdir(), 'murmuration-bench-profile-'));
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const debug = ['--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const browser = spawn(path, ['--headless=new', '--no-sandbox', '--enable-unsafe-webgpu', ...quiet, ...debug, url], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const endpoint = await debuggerOf(browser.stderr);
    for (;;) {
      // Looks in now and then for the page's title; between two looks nothing is attached to it.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const client = await chromium.connectOverCDP(endpoint);
      const title = await client.contexts()[0]?.pages()[0]?.title();
      await client.close();
      if (!title) continue;
      const figures = JSON.parse(title) as StepFigures | { error: string };
      if ('error' in figures) throw new Error(`the tab's bench failed: ${figures.error}`);
      return figures;
    }
  } finally {
    browser.kill();
    await once(browser, 'exit');
    await rm(profile, { recursive: true, force: true });
  }
}

async function debuggerOf(stderr: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stderr) {
    text += String(chunk);
    const found = /DevTools listening on (ws:\S+)/.exec(text);
    if (found) return found[1]!;
  }
  throw new Error('Chromium did not start');
}

function row(worker: string, run: string, { backend, parameters, alone, distributed }: StepFigures): string[] {
  const ms = (value: number): string => value.toFixed(2);
  return [
    worker,
    run,
    backend,
    parameters.toLocaleString('en'),
    ms(alone),
    ms(distributed),
    (distributed / alone).toFixed(2),
  ];
}
