// A GPU device that is lost in the middle of a step, in real Chromium on its software GPU.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { digitsRun, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser, type Tab } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { contribute, rows, until } from './tabs.ts';

const RETURNED_MS_MAX = 2000;
const ANOTHER_DEVICE_MS_MAX = 10_000;

let coordinator: Started;
let browser: PlainBrowser;
beforeAll(async () => {
  coordinator = await start([digitsRun('epochs: 10000')]);
  browser = await plainBrowser();
}, PATIENCE_MS);
afterAll(async () => {
  await browser?.close();
  await coordinator?.close();
});

/** Destroys the device that TensorFlow.js computes on, when the next step is about to read its result. */
const destroyDevice = (tab: Tab): Promise<void> =>
  tab.worker.evaluate(`new Promise((destroyed) => {
    const backend = _tfengine.backend;
    const read = backend.read;
    backend.read = function (...of) {
      backend.device.destroy();
      destroyed();
      return read.apply(backend, of);
    };
  })`);

describe('a GPU device that is lost in a step', () => {
  it(
    '[P12] [B2] gives its lease back within 2 s, is replaced within 10 s, and after three losses another backend is used',
    { timeout: 4 * PATIENCE_MS },
    async () => {
      const { tab, row } = await contribute(browser, coordinator, '?backend=webgpu');
      for (let loss = 1; loss <= 3; loss++) {
        await until(() => row().leases).toBeGreaterThan(0);
        await destroyDevice(tab);
        const lostMs = performance.now();
        await until(() => row().leases).toBe(0);
        expect(performance.now() - lostMs).toBeLessThan(RETURNED_MS_MAX);
        const { pushes } = row();
        await until(() => row().leases).toBeGreaterThan(0);
        expect(performance.now() - lostMs).toBeLessThan(ANOTHER_DEVICE_MS_MAX);
        await until(() => row().pushes).toBeGreaterThan(pushes + 2);
        expect(row().backend).toBe(loss < 3 ? 'webgpu' : 'wasm');
      }
      expect(row().refused).toEqual({});
      expect(rows(coordinator)).toHaveLength(1);
      expect(coordinator.loop.summaries()[0]!.loss.train).toBeLessThan(5);
      expect(await tab.worker.evaluate('_tfengine.memory().numTensors')).toBe(0);
    },
  );
});
