// The volunteer's page in real Chromium, training on a real WebGPU device (SwiftShader).

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digitsRun, PlainWorker } from '../server/harness.ts';
import { PATIENCE_MS, stage, type Stage } from './harness.ts';

const softmax = 'model: { name: softmax }\nmethod: { name: gap-aware, learningRate: 0.01, momentum: 0.5 }';

let show: Stage;
beforeAll(async () => {
  show = await stage([digitsRun(`${softmax}\nbatchSize: 32\nepochs: 1000\nevaluateEveryVersions: 20`)]);
}, PATIENCE_MS);
afterAll(() => show?.close());

const figure = async (page: Page, label: string): Promise<number> => {
  const value = page.locator('dl.figures > div', { has: page.locator('dt', { hasText: label }) }).locator('dd');
  return Number((await value.first().innerText()).replaceAll(/[^\d.]/g, ''));
};
const until = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: PATIENCE_MS, interval: 200 });

/** As a browser does that has the time: on a busy machine Chromium closes a page after half a second, told of it or not. */
async function closeTab(page: Page): Promise<void> {
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false })));
  await page.close();
}

describe('the volunteer’s page', () => {
  it('says what the run is and what is used, before anything is', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open('/');
    await page.getByRole('button', { name: 'Contribute' }).waitFor();
    const text = await page.locator('body').innerText();
    expect(text).toContain('Digits');
    expect(text).toMatch(/nothing is installed/);
    expect(text).toMatch(/7,850/);
    expect(await show.workers()).toEqual([]);
    await page.close();
  });

  it(
    'trains on WebGPU: contribute, see the loss fall, pause, resume, close',
    { timeout: 3 * PATIENCE_MS },
    async () => {
      const page = await show.open('/?backend=webgpu');
      await page.getByLabel('Nickname').fill('<img src=x onerror=alert(1)>');
      await page.getByRole('button', { name: 'Contribute' }).click();
      await page.getByRole('button', { name: 'Pause' }).waitFor({ timeout: PATIENCE_MS });
      await until(() => figure(page, 'Steps computed')).toBeGreaterThan(3);
      const early = (await show.run()).loss.train!;
      await until(async () => (await show.run()).version).toBeGreaterThan(60);
      expect((await show.run()).loss.train!).toBeLessThan(early);
      expect(await figure(page, 'Loss of your last step')).toBeLessThan(early);

      const [row] = await show.workers();
      expect(row).toMatchObject({
        backend: 'webgpu',
        fallback: true,
        state: 'training',
        name: '<img src=x onerror=alert(1)>',
      });
      expect(row!.pushes).toBeGreaterThan(60);
      expect(await page.locator('.device').innerText()).toMatch(/WebGPU[\s\S]*software/);

      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Resume' }).waitFor();
      await until(async () => (await show.workers())[0]).toMatchObject({ state: 'paused', leases: 0 });
      const paused = (await show.run()).version;
      await page.getByRole('button', { name: 'Resume' }).click();
      await until(async () => (await show.run()).version).toBeGreaterThan(paused + 3);

      await closeTab(page);
      await until(async () => (await show.workers())[0]).toMatchObject({ state: 'gone', leases: 0 });
    },
  );

  it(
    '[H3] [L8] a tab that closes mid-lease gives its samples to somebody else',
    { timeout: 2 * PATIENCE_MS },
    async () => {
      const page = await show.open('/?backend=wasm');
      await page.getByRole('button', { name: 'Contribute' }).click();
      // The tab's pushes are held back on their way, so that it closes with leases in hand.
      await until(async () =>
        (await show.workers()).some(({ state, pushes }) => state === 'training' && pushes > 0),
      ).toBe(true);
      await page.route('**/data/runs/*/leases/*', () => undefined);
      const held = async (): Promise<number> => (await show.workers()).reduce((sum, { leases }) => sum + leases, 0);
      await until(held).toBeGreaterThan(0);
      const leased = async (): Promise<{ leased: number }[]> =>
        (await fetch(`${show.coordinator.url}/api/runs/digits/ledger`)).json() as Promise<{ leased: number }[]>;
      expect((await leased()).at(-1)!.leased).toBeGreaterThan(0);
      await closeTab(page);
      await until(held).toBe(0);
      expect((await leased()).reduce((sum, account) => sum + account.leased, 0)).toBe(0);

      const next = await PlainWorker.join(show.coordinator.url);
      const { lease } = await next.lease(); // what was given back goes out first
      expect(lease.batches[0]!.count).toBe(32);
      await next.request(`/leases/${lease.id}`, { method: 'DELETE' });
    },
  );

  it('passes a software GPU over for wasm, and says why', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open('/');
    await page.getByRole('button', { name: 'Contribute' }).click();
    await page.getByText('Why nothing faster').waitFor({ timeout: PATIENCE_MS });
    expect(await page.locator('.device').innerText()).toContain('WebAssembly');
    // the tabs of one browser are one device: the row may be that of an earlier tab
    const row = (await show.workers()).find(({ tried }) => tried.length > 0)!;
    expect(row.backend).toBe('wasm');
    expect(row.tried.map(({ backend }) => backend)).toEqual(['webgpu', 'webgl']);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Contribute again' }).waitFor();
    await page.close();
  });

  it('shows that the operator has paused the run, and goes on by itself', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open('/?backend=wasm');
    await page.getByRole('button', { name: 'Contribute' }).click();
    await until(() => figure(page, 'Steps computed')).toBeGreaterThan(0);
    await show.command('pause');
    await page
      .getByText(/operator has paused/)
      .first()
      .waitFor();
    const { version } = await show.run();
    await show.command('resume');
    await until(async () => (await show.run()).version).toBeGreaterThan(version + 3);
    await page.close();
  });

  it('met no error and no violation of its content security policy', () => {
    expect(show.complaints).toEqual([]);
  });
});
