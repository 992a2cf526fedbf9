// A whole coordinator and its records: what the API tells of the past, to whom, and that no push waits for a database.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import type { Contributor, HistoryPoint, PastRun } from '../../shared/protocol/records.ts';
import { asRunId } from '../../shared/ids.ts';
import type { NoteRow, RunSummary } from '../../shared/protocol/snapshots.ts';
import { ADMIN_TOKEN, digitsRun, PlainWorker, start } from '../server/harness.ts';
import { postgresDatabase, postgresIsHere, type TestDatabase } from './places.ts';
import { cutProxy, type CutProxy } from './proxy.ts';

const gradient = (): Float32Array => new Float32Array(7850).fill(0.001);
const authorized = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };

describe.skipIf(!postgresIsHere)('a coordinator with records (needs a server: TEST_DATABASE_URL)', () => {
  let database: TestDatabase;
  let proxy: CutProxy;
  let url: string;
  let coordinator: Started;
  const open = (): Promise<Started> => start([digitsRun('evaluateEveryVersions: 2')], { databaseUrl: url });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${coordinator.url}/api${path}`, init);
  const get = async <T>(path: string, init: RequestInit = {}): Promise<T> =>
    (await ask(path, init)).json() as Promise<T>;
  const eventually = { timeout: 50_000, interval: 100 };

  beforeAll(async () => {
    database = await postgresDatabase();
    const address = new URL(database.url);
    proxy = await cutProxy(address.hostname, Number(address.port || 5432));
    address.port = String(proxy.port);
    url = address.href;
    coordinator = await open();
  }, 120_000);
  afterAll(async () => {
    await coordinator.close();
    await proxy.close();
    await database.drop();
  });

  it('[M1] [M2] [M3] tells of events, workers, curves and runs', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const { params } = await worker.push(await worker.lease(), gradient());
    await worker.push(params!, gradient());
    coordinator.loop.note({ run: null, kind: 'mended', worker: null, text: 'of the coordinator itself' });
    const texts = async (): Promise<string[]> => (await get<NoteRow[]>('/runs/digits/events')).map(({ text }) => text);
    await expect.poll(texts, eventually).toContain('of the coordinator itself');
    await expect.poll(async () => (await get<HistoryPoint[]>('/runs/digits/history?points=1'))[0]?.version, eventually).toBe(2); // prettier-ignore
    await expect.poll(() => get<Contributor[]>('/runs/digits/contributors'), eventually).toMatchObject([{ name: 'plain', pushes: 2, samples: 128 }]); // prettier-ignore
    const [past] = await get<PastRun[]>('/history/runs');
    expect(past).toMatchObject({ id: 'digits', contributors: 1, summary: { status: 'running' } });
    const snapshot = coordinator.loop.snapshot(asRunId('digits'), 0);
    expect(snapshot.notes).toContainEqual(
      expect.objectContaining({ kind: 'mended', worker: null, text: 'of the coordinator itself' }),
    );
  });

  it('[M13] tells the operator alone what the operator did', async () => {
    await ask('/runs/digits/pause', { method: 'POST', ...authorized });
    await ask('/runs/digits/resume', { method: 'POST', ...authorized });
    const mine = (): Promise<NoteRow[]> => get<NoteRow[]>('/runs/digits/events?kind=operator', authorized);
    await expect.poll(async () => (await mine()).length, eventually).toBeGreaterThanOrEqual(2);
    for (const kind of ['operator', 'all', 'joined,operator'])
      expect([kind, (await ask(`/runs/digits/events?kind=${kind}`)).status]).toEqual([kind, 401]);
    const open = await get<NoteRow[]>('/runs/digits/events?limit=200');
    expect(open.length).toBeGreaterThan(0);
    expect(open.filter(({ kind }) => kind === 'operator')).toEqual([]);
    const { notes } = coordinator.loop.snapshot(asRunId('digits'), 0);
    expect(notes.filter(({ kind }) => kind === 'operator')).toEqual([]);
  });

  it('[M13] answers what is asked wrongly with 400, and runs that never were with 404', async () => {
    const wrong = ['events?limit=0', 'events?limit=201', 'events?before=x', 'events?kind=none', 'events?kind=run&kind=operator', 'history?points=5001', 'history?number=-1']; // prettier-ignore
    for (const path of wrong) expect([path, (await ask(`/runs/digits/${path}`)).status]).toEqual([path, 400]);
    for (const path of ['events', 'history', 'contributors'])
      expect([path, (await ask(`/runs/none/${path}`)).status]).toEqual([path, 404]);
  });

  it.each(['closed', 'silent'] as const)(
    '[M9] [M10] goes on training while the database is %s, and tells it all afterwards',
    async (state) => {
      const version = async (): Promise<number> => (await get<RunSummary>('/runs/digits')).version;
      const before = await version();
      proxy.set(state);
      const worker = await PlainWorker.join(coordinator.url);
      let params = await worker.lease();
      for (let push = 0; push < 20; push++) params = (await worker.push(params, gradient())).params!;
      expect(await version()).toBe(before + 20);
      const problems = (): string[] => coordinator.loop.health().problems.map(({ kind }) => kind);
      await expect.poll(problems, eventually).toEqual(['records']);
      expect((await ask('/runs/digits/events')).status).toBe(503);
      proxy.set('through');
      await expect.poll(problems, eventually).toEqual([]);
      await expect.poll(async () => (await get<HistoryPoint[]>('/runs/digits/history?points=5000')).at(-1)!.version, eventually).toBe(before + 20); // prettier-ignore
      const kinds = async (): Promise<string[]> =>
        (await get<NoteRow[]>('/runs/digits/events?kind=trouble,mended&limit=2')).map(({ kind }) => kind);
      await expect.poll(kinds, eventually).toEqual(['mended', 'trouble']);
    },
    180_000,
  );

  it('[M4] begins another run under the same id when it is started anew, and keeps the one before', async () => {
    await coordinator.close();
    coordinator = await open();
    await expect.poll(async () => (await get<PastRun[]>('/history/runs')).length, eventually).toBe(2);
    const [now, before] = await get<PastRun[]>('/history/runs');
    expect(before!.summary!.version).toBeGreaterThan(40);
    expect(await get<Contributor[]>('/runs/digits/contributors')).toEqual([]);
    expect(await get<Contributor[]>(`/runs/digits/contributors?number=${before!.number}`)).toHaveLength(3);
    expect(now!.number).toBeGreaterThan(before!.number);
  });
});

describe('a coordinator without records', () => {
  it('[M13] says that it keeps none', async () => {
    const coordinator = await start([digitsRun()]);
    const response = await fetch(`${coordinator.url}/api/runs/digits/history`);
    expect([response.status, await response.json()]).toEqual([404, { error: 'this coordinator keeps no records' }]);
    await coordinator.close();
  });
});
