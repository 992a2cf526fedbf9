// The dashboard's charts in Chromium without a window: the first paint of a long run, what a stream of points costs, and
// whether the heap stays.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core';
import { build, preview, type InlineConfig } from 'vite';
import { ARGUMENTS } from '../../test/browser/arguments.ts';
import { findChromium } from '../../test/browser/chromium.ts';
import { median } from '../timing.ts';
import type { Found } from './found.ts';

const HERE = fileURLToPath(new URL('./page/', import.meta.url));
const READY = 'typeof firstPaint === "function"';
const POINTS = 100_000;
const PAINTS = 5;
const PAINT_MS = 200;
const SERIES = 50;
const CPU_PERCENT = 25;
const WARM_UP_MS = 5_000;
/** Shorter runs tell nothing of an hour. */
const HOUR_MINUTES = 60;
const HEAP_MB = 1;
const MB = 1e6;
const WIDTH = 1280;
const HEIGHT = 900;
/** Every chart of the stream is on screen. */
const STREAM_HEIGHT = 6000;

interface Processes {
  readonly processInfo: readonly { readonly type: string; readonly cpuTime: number }[];
}

export async function measureCharts({ minutes }: { readonly minutes: number }): Promise<readonly Found[]> {
  const path = findChromium();
  if (path === null) return [{ what: 'Charts', found: 'not measured: no Chromium', promised: '', met: null }];
  const outDir = await mkdtemp(join(tmpdir(), 'murmuration-bench-charts-'));
  const options: InlineConfig = { root: HERE, configFile: false, logLevel: 'error', plugins: [react()] };
  await build({ ...options, build: { outDir, emptyOutDir: true, target: 'es2023' } });
  const server = await preview({ ...options, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
  const browser = await chromium.launch({ executablePath: path, args: [...ARGUMENTS] });
  const open = async (height: number): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width: WIDTH, height } });
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.waitForFunction(READY);
    return page;
  };
  try {
    return [await firstPaint(() => open(HEIGHT)), ...(await stream(browser, await open(STREAM_HEIGHT), minutes))];
  } finally {
    await browser.close();
    await server.close();
    await rm(outDir, { recursive: true });
  }
}

async function firstPaint(open: () => Promise<Page>): Promise<Found> {
  const times: number[] = [];
  for (let i = 0; i < PAINTS; i++) {
    const page = await open();
    times.push(await page.evaluate<number>(`firstPaint(${POINTS})`));
    await page.close();
  }
  const ms = median(times);
  return {
    what: `First paint of the dashboard’s charts, ${POINTS.toLocaleString('en')} points a series in memory, median of ${PAINTS}`,
    found: `${ms.toFixed(0)} ms (${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`,
    promised: `< ${PAINT_MS} ms`,
    met: ms < PAINT_MS,
  };
}

async function stream(browser: Browser, page: Page, minutes: number): Promise<readonly Found[]> {
  const system = await browser.newBrowserCDPSession();
  const heap = await page.context().newCDPSession(page);
  const series = await page.evaluate<number>(`stream(${SERIES}, ${POINTS})`);
  await pause(WARM_UP_MS);
  const [heapBefore, before, beganMs] = [await heapMb(heap), await cpu(system), performance.now()];
  await pause(60_000 * minutes);
  const [after, seconds] = [await cpu(system), (performance.now() - beganMs) / 1000];
  const grownMb = (await heapMb(heap)) - heapBefore;
  const percent = (type: string): number => (100 * ((after.get(type) ?? 0) - (before.get(type) ?? 0))) / seconds;
  const rest = [...after.keys()].filter((type) => type !== 'renderer').map((type) => `${type} ${percent(type).toFixed(0)} %`); // prettier-ignore
  return [
    {
      what: `Processor of the page, 10 points a second to each of ${series} series`,
      found: `${percent('renderer').toFixed(1)} % of a core; beside it ${rest.join(', ')}`,
      promised: `< ${CPU_PERCENT} % for ${SERIES} series`,
      met: percent('renderer') < CPU_PERCENT,
    },
    {
      what: `Heap of the page over ${minutes} minutes, after collections`,
      found: `${grownMb.toFixed(2)} MB more than ${heapBefore.toFixed(1)} MB`,
      promised: `flat for an hour: < ${HEAP_MB} MB more`,
      met: minutes < HOUR_MINUTES ? null : grownMb < HEAP_MB,
    },
  ];
}

/** Seconds of processor time by kind of process. Without a GPU, what it would draw is drawn by the GPU process. */
async function cpu(system: CDPSession): Promise<Map<string, number>> {
  const { processInfo } = (await system.send('SystemInfo.getProcessInfo')) as Processes;
  const seconds = new Map<string, number>();
  for (const { type, cpuTime } of processInfo) seconds.set(type, (seconds.get(type) ?? 0) + cpuTime);
  return seconds;
}

async function heapMb(page: CDPSession): Promise<number> {
  await page.send('HeapProfiler.collectGarbage');
  return (await page.send('Runtime.getHeapUsage')).usedSize / MB;
}
