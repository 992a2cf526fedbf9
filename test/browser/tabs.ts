// Tabs of a plain Chromium that contribute to the first run of a coordinator, and that coordinator's view of them.

import { expect } from 'vitest';
import type { WorkerRow } from '../../shared/protocol/snapshots.ts';
import type { Started } from '../../server/host/start.ts';
import type { PlainBrowser, Tab } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';

export const until = <T>(ask: () => Promise<T> | T, within = PATIENCE_MS) =>
  expect.poll(ask, { timeout: within, interval: 20 });

export function rows({ loop, runs }: Started): readonly WorkerRow[] {
  return loop.workers(runs[0]!.setup.config.id);
}

export interface Contributor {
  readonly tab: Tab;
  /** As the coordinator has it now. */
  readonly row: () => WorkerRow;
}

/** Presses Contribute on the volunteer's page, and waits to be admitted as a worker that was never there before. */
export async function join(opened: Promise<Tab>, to: Started): Promise<Contributor> {
  const known = new Set(rows(to).map(({ id }) => id));
  const tab = await opened;
  const button = `[...document.querySelectorAll('button')].find((one) => /Contribute/.test(one.textContent) && !one.disabled)`;
  await until(() => tab.evaluate(`Boolean(${button})`)).toBe(true);
  await tab.evaluate(`${button}.click()`);
  const mine = (): WorkerRow | undefined => rows(to).find(({ id }) => !known.has(id));
  await until(() => mine() !== undefined).toBe(true);
  const { id } = mine()!;
  return { tab, row: () => rows(to).find((one) => one.id === id)! };
}

/** Opens the page at the coordinator's own address, and waits for the first pushes. */
export async function contribute(browser: PlainBrowser, to: Started, query: string): Promise<Contributor> {
  const contributor = await join(browser.open(`${to.url}/${query}`), to);
  await until(() => contributor.row().pushes).toBeGreaterThan(5);
  return contributor;
}
