// What a tab does with bytes that were changed on their way, in real Chromium.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { digitsRun, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { join, until } from './tabs.ts';
import { flipBit, tamperer, type Tamperer } from './tamperer.ts';

let coordinator: Started;
let between: Tamperer;
let browser: PlainBrowser;
beforeAll(async () => {
  coordinator = await start([digitsRun('epochs: 10000')]);
  between = await tamperer(coordinator.url);
  browser = await plainBrowser();
}, PATIENCE_MS);
afterAll(async () => {
  await browser?.close();
  await between?.close();
  await coordinator?.close();
});

const newcomer = () => join(browser.openApart(`${between.url}/?backend=wasm`), coordinator);
const isBlob = (url = ''): boolean => url.startsWith('/data/blobs/');
const isPull = ({ method, url = '' }: { method?: string | undefined; url?: string | undefined }): boolean =>
  method === 'POST' && /\/leases(\/|$)/.test(url);

describe('[P26] [B5] a tab between which and the coordinator somebody changes bytes', () => {
  it(
    'fetches a shard that is not what its address says once more past the cache, and trains on the right one',
    { timeout: 2 * PATIENCE_MS },
    async () => {
      const asked = new Map<string, string[]>();
      between.tamper = ({ url, headers }, body) => {
        if (!isBlob(url)) return;
        const times = asked.get(url!) ?? [];
        asked.set(url!, [...times, headers['cache-control'] ?? '']);
        if (times.length === 0) flipBit(body, body.length - 1);
      };
      const { tab, row } = await newcomer();
      await until(() => row().pushes).toBeGreaterThan(3);
      expect(asked.size).toBeGreaterThan(0);
      for (const times of asked.values()) {
        expect(times).toHaveLength(2);
        expect(times[1]).toBe('no-cache');
      }
      expect(row().refused).toEqual({});
      await tab.close();
    },
  );

  it('never trains on a shard that stays wrong', { timeout: 2 * PATIENCE_MS }, async () => {
    let wrong = 0;
    between.tamper = ({ url }, body) => {
      if (!isBlob(url)) return;
      flipBit(body, body.length >> 1);
      wrong += 1;
    };
    const { tab, row } = await newcomer();
    await until(() => wrong).toBeGreaterThan(5);
    expect([row().pushes, row().samples, row().refused]).toEqual([0, 0, {}]);
    between.tamper = null;
    await until(() => row().pushes).toBeGreaterThan(3);
    await tab.close();
  });

  it(
    'gives back a lease whose parameters were changed, and never trains on it',
    { timeout: 2 * PATIENCE_MS },
    async () => {
      let wrong = 0;
      between.tamper = (request, body) => {
        if (!isPull(request) || body.length < 1000) return;
        flipBit(body, body.length - 3);
        wrong += 1;
      };
      const { tab, row } = await newcomer();
      await until(() => wrong).toBeGreaterThan(2);
      await until(() => row().leases).toBe(0);
      expect([row().pushes, row().samples, row().refused]).toEqual([0, 0, {}]);
      between.tamper = null;
      await until(() => row().pushes).toBeGreaterThan(3);
      expect(row().refused).toEqual({});
      await tab.close();
    },
  );
});
