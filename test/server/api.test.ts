// The API over real sockets: what our pages, an operator's script and Prometheus see.

import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import type { ServerToWorker, WorkerToServer, PageToServer, ServerToPage } from '../../shared/protocol/events.ts';
import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import type { DashboardSnapshot, MetricsPage, RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { ADMIN_TOKEN, digitsRun, PlainWorker, start } from './harness.ts';

let coordinator: Started;
beforeAll(async () => {
  coordinator = await start([digitsRun('evaluateEveryVersions: 2'), digitsRun('id: second')]);
});
afterAll(() => coordinator.close());

const get = async <T>(path: string): Promise<T> => (await fetch(coordinator.url + path)).json() as Promise<T>;
const post = (path: string, token = ADMIN_TOKEN): Promise<Response> =>
  fetch(coordinator.url + path, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
const gradient = (): Float32Array => new Float32Array(7850).fill(0.01);

describe('the API', () => {
  it('lists the runs, with every figure that is not known yet null', async () => {
    const runs = await get<RunSummary[]>('/api/runs');
    expect(runs.map(({ id }) => id)).toEqual(['digits', 'second']);
    expect(await get<RunSummary>('/api/runs/second')).toMatchObject({
      name: 'Digits',
      status: 'running',
      method: 'asgd',
      model: 'softmax',
      dataset: 'digits',
      parameters: 7850,
      version: 0,
      samples: 0,
      epoch: 0,
      loss: { train: null, validation: null },
      accuracy: null,
      test: null,
      workers: 0,
      updatesPerSecond: 0,
    });
  });

  it('answers what it does not know with 404 and words', async () => {
    for (const path of ['/api/runs/none', '/api/none', '/api/runs/none/workers']) {
      const response = await fetch(coordinator.url + path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(((await response.json()) as { error: string }).error).toMatch(/^there is no/);
    }
    expect((await fetch(`${coordinator.url}/api/runs/digits/metrics?since=x`)).status).toBe(400);
  });

  it('measures the validation split itself', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    let { params } = await worker.push(await worker.lease(), gradient());
    ({ params } = await worker.push(params!, gradient()));
    // the parameters that the run begins with are measured too
    const measured = async (): Promise<number[]> => {
      const { points } = await get<MetricsPage>('/api/runs/digits/metrics?since=0');
      return points.filter(({ validationLoss }) => (validationLoss ?? 0) > 0).map(({ version }) => version);
    };
    await expect.poll(measured, { timeout: 20_000 }).toContain(2);
    expect((await get<RunSummary>('/api/runs/digits')).accuracy).not.toBeNull();
    const { points, next } = await get<MetricsPage>('/api/runs/digits/metrics?since=0');
    const { points: later } = await get<MetricsPage>(`/api/runs/digits/metrics?since=${next}`);
    expect(later.filter(({ timeMs }) => timeMs <= points.at(-1)!.timeMs)).toEqual([]); // none twice
    expect(await get<WorkerRow[]>('/api/runs/digits/workers')).toMatchObject([
      { name: 'plain', backend: 'other', pushes: 2, loss: 1 },
    ]);
    const ledger = await get<{ epoch: number; counted: number }[]>('/api/runs/digits/ledger');
    expect(ledger).toMatchObject([{ epoch: 0, counted: 128 }]);
  });

  it('lets nobody steer without the token', async () => {
    for (const command of ['pause', 'resume', 'stop']) {
      expect((await post(`/api/runs/second/${command}`, 'guess')).status).toBe(401);
      expect((await fetch(`${coordinator.url}/api/runs/second/${command}`, { method: 'POST' })).status).toBe(401);
    }
    expect((await get<RunSummary>('/api/runs/second')).status).toBe('running');
    expect((await fetch(`${coordinator.url}/api/admin`)).status).toBe(401);
  });

  it('[H5] [H7] holds a pull while the run is paused, and serves it at once when it goes on', async () => {
    const worker = await PlainWorker.join(coordinator.url, 'second');
    expect(await (await post('/api/runs/second/pause')).json()).toMatchObject({ status: 'paused' });
    const pull = worker.pull();
    await expect.poll(async () => (await get<WorkerRow[]>('/api/runs/second/workers'))[0]!.leases).toBe(0);
    expect(await (await post('/api/runs/second/resume')).json()).toMatchObject({ status: 'running' });
    expect((await pull).params).not.toBeNull();
  });

  it('gives the model away as safetensors', async () => {
    const response = await fetch(`${coordinator.url}/api/runs/digits/model.safetensors`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const headerBytes = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<
      string,
      { shape?: number[]; data_offsets?: number[] }
    >;
    expect(headerBytes % 8).toBe(0);
    expect(header['1.kernel']).toMatchObject({ shape: [784, 10], data_offsets: [0, 31360] });
    expect(bytes.length).toBe(8 + headerBytes + 4 * 7850);
    expect(response.headers.get('content-disposition')).toMatch(/digits-v\d+\.safetensors/);
  });

  it('speaks Prometheus', async () => {
    const text = await (await fetch(`${coordinator.url}/metrics`)).text();
    expect(text).toMatch(/^murmuration_run_version\{run="digits"\} 2$/m);
    expect(text).toMatch(/^murmuration_run_pushes_total\{run="digits"\} 2$/m);
    expect(text).toMatch(/^# TYPE murmuration_run_samples_total counter$/m);
    expect(text).toContain('murmuration_nodejs_eventloop_lag_p99_seconds');
  });

  it('[I11] sends strict headers with every page', async () => {
    const policy = (await fetch(`${coordinator.url}/api/health`)).headers.get('content-security-policy')!;
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-eval');
  });
});

describe('the control plane', () => {
  const hello = (name: string): Hello => ({
    protocol: 2,
    run: 'second',
    name,
    device: { backend: 'cpu', adapter: 'test', fallback: false, tried: [] },
  });
  const connect = (): Socket<ServerToWorker, WorkerToServer> =>
    io(coordinator.url, { transports: ['websocket'], forceNew: true });
  const rowNamed = async (name: string): Promise<WorkerRow | undefined> =>
    (await get<WorkerRow[]>('/api/runs/second/workers')).find((row) => row.name === name);

  it('[H3] knows a worker by its socket, and takes its leases back when it closes', async () => {
    const socket = connect();
    const welcome: Welcome = await socket.emitWithAck('hello', hello('socketed'));
    if (!welcome.ok) throw new Error(welcome.refusal);
    const headers = { authorization: `Bearer ${welcome.token}` };
    expect((await fetch(`${coordinator.url}/data/runs/second/leases`, { method: 'POST', headers })).status).toBe(200);
    expect(await rowNamed('socketed')).toMatchObject({ state: 'training', leases: 1 });
    socket.disconnect();
    await expect.poll(() => rowNamed('socketed')).toMatchObject({ state: 'gone', leases: 0 });
    expect((await fetch(`${coordinator.url}/data/runs/second/leases`, { method: 'POST', headers })).status).toBe(503);
  });

  it('tells workers to pause, and hears their state', async () => {
    const socket = connect();
    await socket.emitWithAck('hello', hello('told'));
    const told = new Promise((resolve) => socket.once('control', resolve));
    await post('/api/runs/second/pause');
    expect(await told).toEqual({ kind: 'pause' });
    socket.emit('status', { state: 'hidden' });
    await expect.poll(() => rowNamed('told')).toMatchObject({ state: 'hidden' });
    await post('/api/runs/second/resume');
    socket.disconnect();
  });

  it('[H5] tells one that joins a paused run so, right after its welcome', async () => {
    await post('/api/runs/second/pause');
    const socket = connect();
    const heard: unknown[] = [];
    const told = new Promise<void>((resolve) => {
      socket.once('control', ({ kind }) => {
        heard.push(kind);
        resolve();
      });
    });
    socket.emit('hello', hello('late'), ({ ok }) => heard.push(ok));
    await told;
    expect(heard).toEqual([true, 'pause']);
    await post('/api/runs/second/resume');
    socket.disconnect();
  });

  it('survives what it does not understand', async () => {
    const socket = connect() as unknown as Socket;
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.emit('status', { state: 'dancing' });
    socket.emit('release', { leases: 'all' });
    socket.emit('release', { leases: ['x'], __proto__: { a: 1 } });
    expect(await socket.emitWithAck('hello', 'hello')).toMatchObject({ ok: false, refusal: 'malformed-hello' });
    socket.emit('hello', {}); // without an acknowledgement: the socket is closed
    await new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
    expect(await get<object>('/api/health')).toMatchObject({ status: 'ok' });
  });

  it('shows pages what changes, with each point of the curves once', async () => {
    const page: Socket<ServerToPage, PageToServer> = io(`${coordinator.url}/watch`, {
      transports: ['websocket'],
      forceNew: true,
    });
    const next = (): Promise<DashboardSnapshot> => new Promise((resolve) => page.once('snapshot', resolve));
    page.emit('watch', { run: 'digits', since: 0 });
    const first = await next();
    expect(first.run.id).toBe('digits');
    expect(first.metrics.points.length).toBeGreaterThan(0);
    expect((await next()).metrics.points).toEqual([]);
    page.disconnect();
  });
});
