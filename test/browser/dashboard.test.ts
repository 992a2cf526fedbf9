// The operator's dashboard in real Chromium, while headless workers of different speeds train.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startVolunteers, type Volunteers } from '../../client/headless/volunteers.ts';
import { ADMIN_TOKEN, digitsRun } from '../server/harness.ts';
import { PATIENCE_MS, stage, type Stage } from './harness.ts';

let show: Stage;
let volunteers: Volunteers;
beforeAll(async () => {
  show = await stage([digitsRun('epochs: 10000\nevaluateEveryVersions: 100')]);
  volunteers = startVolunteers({ url: show.coordinator.url, count: 2, backend: 'wasm', slowdown: [1, 20] });
}, PATIENCE_MS);
afterAll(async () => {
  await volunteers?.stop();
  await show?.close();
});

const until = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: PATIENCE_MS, interval: 200 });
const lagOf = async (page: Page, name: string): Promise<number[]> => {
  const row = page.getByRole('row', { name: new RegExp(`^${name}`) });
  const cells = await row.getByRole('cell').allInnerTexts();
  const lag = cells.find((text) => /^[\d.,]+ · [\d.,]+ · [\d.,]+$/.test(text.trim()))!;
  return lag.split('·').map((part) => Number(part.replaceAll(/[^\d.]/g, '')));
};

describe('the dashboard', () => {
  it('opens by the address that the coordinator prints, and hides the token', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open(`/admin#token=${ADMIN_TOKEN}`);
    await page.getByRole('heading', { name: 'Digits' }).waitFor();
    expect(page.url()).toBe(`${show.coordinator.url}/admin`);
    await page.close();
  });

  it('takes no wrong token', { timeout: PATIENCE_MS }, async () => {
    await show.context.clearCookies(); // whoever signed in before
    const page = await show.context.newPage(); // its 401 is expected: not a complaint
    await page.goto(`${show.coordinator.url}/admin`);
    await page.getByLabel('Admin token').fill('guess');
    await page.getByRole('button', { name: 'Open the dashboard' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
    await page.getByRole('button', { name: 'Open the dashboard' }).click();
    await page.getByRole('heading', { name: 'Digits' }).waitFor();
    await page.close();
  });

  it(
    'shows the right numbers for two workers: the slow one’s lag is higher',
    { timeout: 2 * PATIENCE_MS },
    async () => {
      const page = await show.open(`/admin#token=${ADMIN_TOKEN}`);
      await until(async () => (await show.workers()).every(({ pushes }) => pushes > 5)).toBe(true);
      await until(async () => (await lagOf(page, 'node-2'))[1]! - (await lagOf(page, 'node-1'))[1]!).toBeGreaterThan(1);
      const rows = await show.workers();
      const [fast, slow] = [
        rows.find(({ name }) => name === 'node-1')!,
        rows.find(({ name }) => name.startsWith('node-2'))!,
      ];
      expect(slow.lag.mean!).toBeGreaterThan(2 * fast.lag.mean!);
      expect(fast.samplesPerSecond).toBeGreaterThan(slow.samplesPerSecond);
      expect(fast.backend).toBe('wasm');
      // The table shows what the API says, a moment later: meanwhile the slow worker's largest lag can only have grown.
      await until(async () => (await lagOf(page, 'node-2'))[2]!).toBeGreaterThanOrEqual(slow.lag.max!);
      await until(async () => (await show.run()).accuracy).not.toBeNull();
      await until(() => page.locator('body').innerText()).toMatch(/Validation accuracy\s+[\d.]+%/);
      await page.close();
    },
  );

  it('changes the method of the live run from its dialog', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open(`/admin#token=${ADMIN_TOKEN}`);
    const { version } = await show.run();
    await page.getByRole('button', { name: 'Change method' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('learningRate').inputValue()).toBe('0.01');
    await dialog.getByRole('combobox', { name: 'Method' }).click();
    await page.getByRole('option', { name: 'Staleness-aware SGD' }).click();
    expect(await dialog.getByLabel('momentum').inputValue()).toBe('0.9');
    await dialog.getByLabel('momentum').fill('1');
    const submit = dialog.getByRole('button', { name: 'Change the method' });
    expect(await submit.isDisabled()).toBe(true);
    await dialog.getByLabel('momentum').fill('0.5');
    await dialog.getByLabel('learningRate').fill('0.02');
    await submit.click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await show.run()).toMatchObject({
      method: 'staleness-aware',
      learningRatePeak: 0.02,
      hyperparameters: { momentum: 0.5 },
    });
    const card = page.getByRole('region', { name: 'Staleness-aware SGD' });
    expect(await card.innerText()).toContain('γ = 0.5');
    expect(await page.getByRole('region', { name: 'Digits' }).innerText()).toMatch(/Learning rate\s+0\.02/);
    await until(async () => (await show.run()).version).toBeGreaterThan(version + 10);
    await page.close();
  });

  it('pauses, resumes and stops the run', { timeout: 2 * PATIENCE_MS }, async () => {
    const page = await show.open(`/admin#token=${ADMIN_TOKEN}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    expect((await show.run()).status).toBe('paused');
    await until(async () => (await show.workers()).every(({ leases }) => leases === 0)).toBe(true);
    const { version } = await show.run();
    await page.getByRole('button', { name: 'Resume' }).click();
    await until(async () => (await show.run()).version).toBeGreaterThan(version + 10);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('button', { name: 'Stop the run' }).click();
    await until(async () => (await show.run()).status).toBe('stopped');
    expect(await volunteers.done).toMatchObject({ ok: true });
    await until(async () => (await show.run()).test).not.toBeNull();
    await page.close();
  });

  it('met no error and no violation of its content security policy', () => {
    expect(show.complaints).toEqual([]);
  });
});
