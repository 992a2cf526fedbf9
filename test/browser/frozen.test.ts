// A tab that is hidden and then frozen by its browser, in real Chromium: nothing it held is lost, and it comes back as the
// same worker.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { digitsRun, PlainWorker, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { contribute, rows, until } from './tabs.ts';

/** Short, so that what takes minutes with the defaults takes seconds here. */
const SOFT_LEASE_MS = 1000;
const AWAKE_AGAIN_MS_MAX = 5000;

let coordinator: Started;
let browser: PlainBrowser;
beforeAll(async () => {
  coordinator = await start([digitsRun(`epochs: 10000\nleases: { softMinMs: ${SOFT_LEASE_MS} }`)]);
  browser = await plainBrowser();
}, PATIENCE_MS);
afterAll(async () => {
  await browser?.close();
  await coordinator?.close();
});

describe('a tab that its browser freezes', () => {
  it(
    '[P11] [B1] loses nothing: its work goes to another, and it goes on as the same worker within 5 s of being looked at',
    { timeout: 2 * PATIENCE_MS },
    async () => {
      const { tab, row } = await contribute(browser, coordinator, '?backend=wasm');
      await until(() => row().leases).toBeGreaterThan(0);
      const another = await browser.open('about:blank');
      await another.look();
      await until(() => tab.evaluate('document.visibilityState')).toBe('hidden');
      await tab.freeze();

      const other = await PlainWorker.join(coordinator.url);
      const reissued = (): number => coordinator.loop.snapshot(coordinator.runs[0]!.setup.config.id, 0).leases.reissued;
      const before = reissued();
      await until(async () => {
        const { lease } = await other.lease();
        await other.request(`/leases/${lease.id}`, { method: 'DELETE' });
        return reissued();
      }).toBeGreaterThan(before);
      // Long enough for its connection to be given up too.
      await until(() => ['asleep', 'gone'].includes(row().state)).toBe(true);
      const { pushes } = row();

      const thawedMs = performance.now();
      await tab.thaw();
      await tab.look();
      await until(() => row().pushes).toBeGreaterThan(pushes);
      expect(performance.now() - thawedMs).toBeLessThan(AWAKE_AGAIN_MS_MAX);
      await until(() => row().state).toBe('training');
      expect(rows(coordinator).filter(({ adapter }) => adapter !== 'none')).toHaveLength(1);
      expect(await tab.evaluate('document.querySelector(".controls").innerText')).toMatch(/Pause/);
    },
  );
});
