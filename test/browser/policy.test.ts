// The content security policy, and texts of strangers, on both pages in real Chromium.

import type { Page, Worker } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, digitsRun } from '../server/harness.ts';
import { PATIENCE_MS, stage, type Stage } from './harness.ts';
import { until } from './tabs.ts';

const SCRIPT = '<img src=x onerror="globalThis.pwned=1">';

let show: Stage;
beforeAll(async () => {
  show = await stage([digitsRun('epochs: 10000\nevaluateEveryVersions: 50')]);
  await show.context.addInitScript(listen);
}, PATIENCE_MS);
afterAll(() => show?.close());

type Watched = typeof globalThis & { violations?: string[]; pwned?: number };

/** Runs in the page, or in its worker. */
function listen(): void {
  const here = globalThis as Watched;
  here.violations ??= [];
  here.addEventListener('securitypolicyviolation', (event) => {
    const { violatedDirective } = event as Event & { violatedDirective: string };
    here.violations!.push(violatedDirective);
  });
}

const violations = (where: Page | Worker): Promise<string[]> =>
  (where as Page).evaluate(() => (globalThis as Watched).violations ?? []);
const pwned = (where: Page): Promise<boolean> => where.evaluate(() => (globalThis as Watched).pwned !== undefined);

async function contribute(page: Page, nickname: string): Promise<Worker> {
  await page.getByLabel('Nickname').fill(nickname);
  const [worker] = await Promise.all([
    page.waitForEvent('worker'),
    page.getByRole('button', { name: 'Contribute' }).click(),
  ]);
  await worker.evaluate(listen);
  await until(async () => (await show.workers()).some(({ name, pushes }) => name === nickname && pushes > 3)).toBe(
    true,
  );
  return worker;
}

describe('[P26] [B7] the pages', () => {
  it(
    'break no rule of their policy, and run no text of a stranger, while a tab trains and an operator looks and acts',
    { timeout: 4 * PATIENCE_MS },
    async () => {
      const tab = await show.open('/?backend=wasm');
      const worker = await contribute(tab, SCRIPT);
      const board = await show.open(`/admin#token=${ADMIN_TOKEN}`);
      const row = board.getByRole('row', { name: /onerror/ });
      await row.waitFor();
      await board.getByRole('button', { name: 'Change method' }).click();
      await board.getByRole('dialog').waitFor();
      await board.keyboard.press('Escape');
      await until(async () => (await show.run()).accuracy).not.toBeNull();
      expect(await violations(worker)).toEqual([]);

      await board.getByRole('button', { name: `Ban ${SCRIPT}` }).click();
      await board.getByLabel('Reason').fill(`${SCRIPT} is no name`);
      await board.getByRole('button', { name: 'Ban it' }).click();
      await row.getByText('Banned', { exact: true }).waitFor();
      await tab
        .getByRole('alert')
        .getByText(/was banned/)
        .waitFor();
      await board.getByRole('list').getByText(`${SCRIPT} is no name`).first().waitFor();
      for (const page of [tab, board]) {
        expect(await violations(page)).toEqual([]);
        expect(await page.locator('img').count()).toBe(0);
        expect(await pwned(page)).toBe(false);
      }
      expect(show.complaints).toEqual([]);
    },
  );

  it('would have been caught at it', { timeout: 2 * PATIENCE_MS }, async () => {
    const other = await show.context.browser()!.newContext(); // a device that was not banned: its worker stays
    await other.addInitScript(listen);
    const page = await other.newPage();
    await page.goto(`${show.coordinator.url}/?backend=wasm`);
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.pwned = 1';
      document.body.append(script);
    });
    await until(() => violations(page)).toEqual(['script-src-elem']);
    expect(await pwned(page)).toBe(false);
    await page.getByRole('button', { name: /Contribute/ }).click();
    // a tab may begin anew: it is the worker that it has now that is asked
    const caught = async (): Promise<string[]> => {
      const worker = page.workers().at(-1);
      if (worker === undefined) return [];
      await worker.evaluate(listen);
      await worker.evaluate(() => fetch('https://elsewhere.invalid/').catch(() => undefined));
      return violations(worker);
    };
    await until(() => caught().catch(() => [])).toContain('connect-src');
  });
});
