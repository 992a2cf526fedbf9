// The coordinator goes away and comes back, while a tab contributes and the dashboard is open.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, digitsRun } from '../server/harness.ts';
import { PATIENCE_MS, stage, type Stage } from './harness.ts';
import { until } from './tabs.ts';

let stateDir: string;
let show: Stage;
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'murmuration-browser-'));
  show = await stage([digitsRun('epochs: 10000')], { stateDir });
}, PATIENCE_MS);
afterAll(async () => {
  await show?.close();
  await rm(stateDir, { recursive: true, force: true });
});

/** Fades out with a reload. */
const mark = (page: Page): Promise<void> =>
  page.evaluate(() => void ((globalThis as { marked?: boolean }).marked = true));
const isMarked = (page: Page): Promise<boolean> =>
  page.evaluate(() => (globalThis as { marked?: boolean }).marked === true);

const versionShown = async (page: Page): Promise<string> =>
  page.locator('.tile', { hasText: 'Version' }).locator('.number').innerText();

describe('a coordinator that restarts', () => {
  it(
    '[U1] [P4] is waited for by both pages, and the tab trains again as the same worker, without a reload',
    { timeout: 4 * PATIENCE_MS },
    async () => {
      const tab = await show.open('/?backend=wasm');
      const board = await show.open(`/admin#token=${ADMIN_TOKEN}`);
      await tab.getByRole('button', { name: 'Contribute' }).click();
      await until(async () => (await show.workers())[0]?.pushes ?? 0).toBeGreaterThan(20);
      const before = (await show.workers())[0]!;
      await until(async () => Number((await versionShown(board)).replaceAll(',', ''))).toBeGreaterThan(20);
      await Promise.all([mark(tab), mark(board)]);

      await show.leave();
      await tab.getByRole('heading', { name: 'Reconnecting' }).waitFor();
      await tab.getByText('Last known figures').waitFor();
      expect(await tab.locator('.stale .figures').innerText()).toMatch(/Volunteers now\s+\d/);
      await board
        .getByRole('alert')
        .filter({ hasText: /connection to the coordinator is lost/ })
        .waitFor();
      expect(await board.locator('.board.stale').count()).toBe(1);
      expect(await versionShown(board)).toMatch(/^[\d,]+$/);

      await show.comeBack();
      await until(async () => (await show.workers()).find(({ id }) => id === before.id)?.pushes ?? 0).toBeGreaterThan(
        before.pushes,
      );
      expect((await show.workers()).map(({ id }) => id)).toEqual([before.id]);
      await tab.getByRole('heading', { name: 'Training' }).waitFor();
      await until(() => tab.locator('.stale').count()).toBe(0);
      await until(() => board.locator('.stale').count()).toBe(0);
      await until(() => board.getByRole('alert').count()).toBe(0);
      const { version } = await show.run();
      await until(async () => Number((await versionShown(board)).replaceAll(',', ''))).toBeGreaterThan(version);
      expect([await isMarked(tab), await isMarked(board)]).toEqual([true, true]);
    },
  );
});
