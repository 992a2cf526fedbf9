// What a tab holds after many steps, in real Chromium: as much as after a few.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { digitsRun, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser, type Tab } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { contribute, until } from './tabs.ts';

/** MEMORY_STEPS=10000 for the promise to the letter: some minutes. */
const STEPS = Number(process.env['MEMORY_STEPS'] ?? 1000);
const GROWTH_BYTES_MAX = 10e6;
/** Buffers, staging memory and compiled code are there by then. */
const WARM_STEPS = 100;

let coordinator: Started;
let browser: PlainBrowser;
beforeAll(async () => {
  coordinator = await start([digitsRun('epochs: 10000\nmodel: { name: mlp, hidden: [16] }\nbatchSize: 16')]);
  browser = await plainBrowser();
}, PATIENCE_MS);
afterAll(async () => {
  await browser?.close();
  await coordinator?.close();
});

const heaps = async (tab: Tab): Promise<{ page: number; worker: number }> => ({
  page: await tab.heapBytes(),
  worker: await tab.worker.heapBytes(),
});
/** Between two steps: a task of the worker's is never within one. */
const tensors = (tab: Tab): Promise<number> => tab.worker.evaluate('_tfengine.memory().numTensors');

describe('the memory of a tab', () => {
  it(
    `[P13] [B4] is the same after ${STEPS} steps: no tensor more, and less than 10 MB of heap`,
    { timeout: 2 * PATIENCE_MS + STEPS * 100 },
    async () => {
      const { tab, row } = await contribute(browser, coordinator, '?backend=wasm');
      await until(() => row().pushes).toBeGreaterThan(WARM_STEPS);
      const before = await heaps(tab);
      const counts = new Set<number>();
      const end = row().pushes + STEPS;
      while (row().pushes < end) counts.add(await tensors(tab));
      const after = await heaps(tab);
      expect([...counts]).toEqual([0]);
      expect(after.worker - before.worker).toBeLessThan(GROWTH_BYTES_MAX);
      expect(after.page - before.page).toBeLessThan(GROWTH_BYTES_MAX);
      expect(row().refused).toEqual({});
    },
  );
});
