// Who somebody is, in real Chromium: a browser's key over tabs and reloads, join codes, lists, and the operator's session.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, digitsRun } from '../server/harness.ts';
import { PATIENCE_MS, stage, type Stage } from './harness.ts';

const CODE = 'open sesame';

let show: Stage;
beforeAll(async () => {
  const runs = [
    'id: open\nepochs: 10000',
    `id: coded\nepochs: 10000\nadmission: { kind: code, code: ${CODE} }`,
    'id: listed\nadmission: { kind: list, workers: [] }',
  ];
  show = await stage(runs.map((yaml) => digitsRun(yaml)));
}, PATIENCE_MS);
afterAll(() => show?.close());

const contribute = (page: Page): Promise<void> => page.getByRole('button', { name: 'Contribute' }).click();
const present = async (run: string): Promise<string[]> =>
  (await show.workers(run)).filter(({ state }) => state !== 'gone' && state !== 'asleep').map(({ id }) => id);
const until = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: PATIENCE_MS, interval: 200 });

describe('a browser', () => {
  it('[I2] is one device in all of its tabs, and the same after a reload', { timeout: 3 * PATIENCE_MS }, async () => {
    const first = await show.open('/?run=open&backend=cpu');
    await contribute(first);
    await until(() => present('open')).toHaveLength(1);
    const [device] = await present('open');
    expect(device).toMatch(/^w[0-9a-f]{20}$/);
    const second = await show.open('/?run=open&backend=cpu');
    await contribute(second);
    await until(() => present('open')).toEqual([device, `${device}-2`]);
    await second.close();
    await first.reload();
    await until(() => present('open')).toEqual([]);
    await contribute(first);
    await until(() => present('open')).toEqual([device]);
    const standing = (await show.workers('open')).find(({ id }) => id === device)!.standing;
    expect(standing.keyed).toBe(true);
    await first.close();
  });

  it('[I2] shows its id where a list asks for it', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open('/?run=listed&backend=cpu');
    const [device] = (await show.workers('open')).map(({ id }) => id);
    await page.getByText(device!, { exact: true }).waitFor();
    await contribute(page);
    await page.getByText('takes only devices on its list').first().waitFor();
    await page.getByRole('button', { name: 'Back to the invitation' }).click();
    await page.getByText(device!, { exact: true }).waitFor();
    await page.close();
  });
});

describe('a join code', () => {
  it('[I4] comes with the invitation, and out of the address', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open(`/?run=coded&backend=cpu#${new URLSearchParams({ code: CODE }).toString()}`);
    expect(await page.getByLabel('Join code').inputValue()).toBe(CODE);
    expect(page.url()).not.toContain('sesame');
    await contribute(page);
    await until(() => present('coded')).toHaveLength(1);
    await page.close();
  });

  it('[I4] can be typed, and corrected', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open('/?run=coded&backend=cpu');
    await page.getByLabel('Join code').fill('guess-1');
    await contribute(page);
    await page.getByText('needs its join code').first().waitFor();
    await page.getByRole('button', { name: 'Back to the invitation' }).click();
    await page.getByLabel('Join code').fill(CODE);
    await contribute(page);
    await until(() => present('coded')).toHaveLength(1);
    await page.close();
  });
});

describe('the operator', () => {
  it('[I7] has a session that no script reads, until it is signed out of', { timeout: PATIENCE_MS }, async () => {
    const page = await show.open(`/admin?run=coded#token=${ADMIN_TOKEN}`);
    const signOut = page.getByRole('button', { name: 'Sign out' });
    await signOut.waitFor();
    expect(page.url()).not.toContain(ADMIN_TOKEN);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    expect(kept).not.toContain(ADMIN_TOKEN);
    expect(kept).not.toContain('murmuration-operator');
    const [cookie] = await show.context.cookies();
    expect(cookie).toMatchObject({ name: 'murmuration-operator', httpOnly: true, sameSite: 'Strict', path: '/' });
    await page.reload();
    await signOut.click();
    await page.getByLabel('Admin token').waitFor();
    expect(await show.context.cookies()).toEqual([]);
    await page.reload();
    await page.getByLabel('Admin token').waitFor();
    await page.close();
  });

  it('met no error', () => {
    expect(show.complaints).toEqual([]);
  });
});
