// What pages and programs that only look may cost: watchers over real sockets, and the API's long answers.

import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { NO_LIMITS, type Limits } from '../../server/limits.ts';
import type { Started, StartOptions } from '../../server/host/start.ts';
import type { PageToServer, ServerToPage } from '../../shared/protocol/events.ts';
import type { MetricsPage } from '../../shared/protocol/snapshots.ts';
import { aPoint } from '../points.ts';
import { ADMIN_TOKEN, digitsRun, start } from './harness.ts';

type Page = Socket<ServerToPage, PageToServer>;
const [HERE, THERE, ELSEWHERE] = ['203.0.113.7', '203.0.113.8', '203.0.113.9'];

let coordinator: Started;
const pages: Page[] = [];
const open = async (limits: Partial<Limits> = {}, options: Partial<StartOptions> = {}): Promise<void> => {
  coordinator = await start([digitsRun()], { limits: { ...NO_LIMITS, ...limits }, ...options });
};
afterEach(async () => {
  for (const page of pages.splice(0)) page.disconnect();
  await coordinator.close();
});

/** Null when it is let in, else what it is told. */
function connect(extraHeaders: Record<string, string> = {}): Promise<{ page: Page; refused: string | null }> {
  const options = { transports: ['websocket'], forceNew: true, reconnection: false, extraHeaders };
  const page: Page = io(`${coordinator.url}/watch`, options);
  pages.push(page);
  return new Promise((resolve) => {
    page.once('connect', () => resolve({ page, refused: null }));
    page.once('connect_error', ({ message }) => resolve({ page, refused: message }));
  });
}
const from = (address: string, more: Record<string, string> = {}): Record<string, string> => ({
  'x-forwarded-for': address,
  ...more,
});

/** Numbers every snapshot that is made, in the place of the uptime, and counts how often each is looked at to be sent. */
function numbered(): { readonly looked: Map<number, number>; readonly mostAtOnce: () => number } {
  const { loop } = coordinator;
  const snapshot = loop.snapshot;
  const looked = new Map<number, number>();
  let [made, atOnce, mostAtOnce] = [0, 0, 0];
  const counting = (...asked: Parameters<typeof snapshot>): ReturnType<typeof snapshot> => {
    const number = ++made;
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    queueMicrotask(() => (atOnce = 0));
    const health = { ...loop.health(), uptimeSeconds: number };
    const toJSON = (): typeof health => {
      looked.set(number, (looked.get(number) ?? 0) + 1);
      return health;
    };
    return { ...snapshot(...asked), health: Object.assign(() => undefined, { toJSON }) as unknown as typeof health };
  };
  Object.assign(loop, { snapshot: counting });
  return { looked, mostAtOnce: () => mostAtOnce };
}

describe('pages that watch', () => {
  it('[N11] are shown one and the same snapshot, written once', async () => {
    await open();
    const { looked } = numbered();
    const seen = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const { page } = await connect();
        const numbers = new Set<number>();
        page.on('snapshot', ({ health }) => void numbers.add(health.uptimeSeconds));
        page.emit('watch', { run: 'digits', since: 0 });
        return numbers;
      }),
    );
    const shared = (): number[] => [...seen[0]!].filter((number) => seen.every((numbers) => numbers.has(number)));
    await expect.poll(shared).not.toEqual([]);
    for (const number of shared()) expect(looked.get(number)).toBe(1);
  });

  it('[N11] with points of their own bring no more than four answers a turn, and all are shown something', async () => {
    await open();
    const { mostAtOnce } = numbered();
    const pace = coordinator.loop.pace;
    Object.assign(coordinator.loop, { pace: () => Infinity }); // until all have asked
    const shown = await Promise.all(
      Array.from({ length: 9 }, async (_, since) => {
        const { page } = await connect();
        page.emit('watch', { run: 'digits', since });
        return { next: new Promise((resolve) => page.once('snapshot', resolve)) };
      }),
    );
    Object.assign(coordinator.loop, { pace });
    await Promise.all(shown.map(({ next }) => next));
    expect(mostAtOnce()).toBeLessThanOrEqual(4);
  });

  it('[N11] have a bound by address and in all, and are told so; the operator is let in', async () => {
    await open({ watchersPerAddress: 1, watchers: 2 }, { trustProxy: true });
    const first = await connect(from(HERE));
    expect(first.refused).toBeNull();
    expect((await connect(from(HERE))).refused).toMatch(/as many pages watch as may/);
    expect((await connect(from(THERE))).refused).toBeNull();
    expect((await connect(from(ELSEWHERE))).refused).toMatch(/as many pages watch as may/);
    const session = await fetch(`${coordinator.url}/api/admin/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const cookie = session.headers.get('set-cookie')!.split(';')[0]!;
    expect((await connect(from(HERE, { cookie }))).refused).toBeNull();
    expect(coordinator.guard.watchers).toBe(3);
    expect(coordinator.guard.heldBack.watchers).toBe(2);
    for (const page of pages.splice(0)) page.disconnect();
    await expect.poll(() => coordinator.guard.watchers).toBe(0);
    expect((await connect(from(HERE))).refused).toBeNull();
  });

  it('[N11] on this machine are bounded in all alone: a proxy’s would all be one address’s', async () => {
    await open({ watchersPerAddress: 1, watchers: 2 });
    const refused = [await connect(), await connect(), await connect()].map((page) => page.refused !== null);
    expect(refused).toEqual([false, false, true]);
  });
});

describe('the API’s long answers', () => {
  const status = async (path: string): Promise<number> => (await fetch(`${coordinator.url}${path}`)).status;
  const ofRows = (points: number): Partial<Limits> => ({
    rates: { ...NO_LIMITS.rates, read: { points, seconds: 60 } },
  });

  it('[N11] are paid for by the row, by address; short ones are not', async () => {
    await open(ofRows(350));
    const page: MetricsPage = { points: Array.from({ length: 300 }, () => aPoint({})), next: 300 };
    Object.assign(coordinator.loop, { metrics: () => page });
    const metrics = '/api/runs/digits/metrics?since=0';
    expect([await status(metrics), await status(metrics)]).toEqual([200, 429]);
    const refused = await fetch(`${coordinator.url}/api/runs/digits/workers`);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 30]).toEqual([429, true]);
    expect([await status('/api/runs/digits'), await status('/api/health')]).toEqual([200, 200]);
    expect(coordinator.guard.heldBack.read).toBe(2);
  });

  it('[N11] [N7] cost more while the coordinator is late', async () => {
    await open(ofRows(400));
    Object.assign(coordinator.loop, { pace: () => 4 });
    const ledger = '/api/runs/digits/ledger';
    expect([await status(ledger), await status(ledger)]).toEqual([200, 429]);
  });
});
