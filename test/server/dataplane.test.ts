// The data plane over real sockets: what a worker in any language sees.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import type { RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { digitsRun, PlainWorker, start, type Params } from './harness.ts';

const DIM = 7850; // 784 · 10 + 10

let coordinator: Started;
beforeAll(async () => {
  coordinator = await start([digitsRun(), digitsRun('id: other\nmethod: { name: gap-aware, learningRate: 0.01 }')]);
});
afterAll(() => coordinator.close());

const ones = (value = 1): Float32Array => new Float32Array(DIM).fill(value);
const summary = async (run = 'digits'): Promise<RunSummary> =>
  (await fetch(`${coordinator.url}/api/runs/${run}`)).json() as Promise<RunSummary>;
const row = async (worker: PlainWorker): Promise<WorkerRow> => {
  const rows = (await (await fetch(`${coordinator.url}/api/runs/${worker.run}/workers`)).json()) as WorkerRow[];
  return rows.find(({ id }) => id === worker.welcome.worker)!;
};

describe('a worker by HTTP alone', () => {
  it('[A2] trains: θ moves by −η·g, and the answer carries the next lease', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const first = await worker.lease();
    expect(first.theta).toHaveLength(DIM);
    const { reply, params } = await worker.push(first, ones());
    expect(reply).toMatchObject({ outcome: 'applied', repeated: false, lag: 0, version: first.version + 1 });
    expect(params!.version).toBe(first.version + 1);
    expect(params!.theta[0]).toBeCloseTo(first.theta[0]! - 0.01, 6);
    expect(params!.lease.id).not.toBe(first.lease.id);
  });

  it('[L4] answers a push that is sent twice with the first answer, and applies it once', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const params = await worker.lease();
    const first = await worker.push(params, ones());
    const again = await worker.push(params, ones());
    expect(first.reply).toMatchObject({ outcome: 'applied', repeated: false });
    expect(again.reply).toMatchObject({ outcome: 'applied', repeated: true, version: first.reply.version });
  });

  it('measures the lag itself: a late push lags by the versions in between', async () => {
    const slow = await PlainWorker.join(coordinator.url);
    const fast = await PlainWorker.join(coordinator.url);
    const late = await slow.lease();
    let params: Params = await fast.lease();
    for (let i = 0; i < 3; i++) params = (await fast.push(params, ones(0.1))).params!;
    const { reply } = await slow.push(late, ones(0.1));
    expect(reply.lag).toBe(3);
    expect(reply.gap).toBeCloseTo(3 * 0.01 * 0.1, 5);
    expect(await row(slow)).toMatchObject({ lag: { last: 3, mean: 3, max: 3 }, pushes: 1 });
  });

  it('gives a worker back its identity by its token', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const again = await PlainWorker.join(coordinator.url, 'digits', worker.welcome.token);
    expect(again.welcome.worker).toBe(worker.welcome.worker);
    const other = await PlainWorker.join(coordinator.url, 'other', worker.welcome.token);
    expect(other.welcome.token).not.toBe(worker.welcome.token); // a token is good for its own run only
  });

  it('serves shards by their SHA-256, to be cached for ever', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const { sha256, bytes } = worker.welcome.run.shards[0]!;
    const response = await fetch(`${coordinator.url}/data/blobs/${sha256}`);
    const body = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(body).toHaveLength(bytes);
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256);
    expect((await fetch(`${coordinator.url}/data/blobs/${'0'.repeat(64)}`)).status).toBe(404);
  });

  it('takes a lease back', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const { lease } = await worker.lease();
    expect(await row(worker)).toMatchObject({ leases: 1 });
    expect((await worker.request(`/leases/${lease.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await row(worker)).toMatchObject({ leases: 0 });
  });
});

describe('what is refused', () => {
  it('knows no worker without the token of this run', async () => {
    const worker = await PlainWorker.join(coordinator.url, 'other');
    const pull = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${coordinator.url}/data/runs/digits/leases`, { method: 'POST', headers });
    expect((await pull({})).status).toBe(401);
    expect((await pull({ authorization: 'Bearer guess' })).status).toBe(401);
    expect((await pull({ authorization: `Bearer ${worker.welcome.token}` })).status).toBe(401);
    expect((await fetch(`${coordinator.url}/data/runs/none/leases`, { method: 'POST' })).status).toBe(404);
  });

  it('[L12] [W2] names what is wrong with a body, changes nothing, and takes the right one afterwards', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const params = await worker.lease();
    const before = await summary();
    const good = worker.body(params, ones(0.01));
    const frameAt = good.length - 32 - 4 * DIM;
    const spoil = (edit: (bytes: DataView) => void): Uint8Array<ArrayBuffer> => {
      const bytes = good.slice();
      edit(new DataView(bytes.buffer));
      return bytes;
    };
    const cases: [string, Uint8Array<ArrayBuffer>][] = [
      ['truncated', good.slice(0, -4)],
      ['bad-magic', spoil((view) => view.setUint8(frameAt, 0))],
      ['bad-version', spoil((view) => view.setUint16(frameAt + 4, 99, true))],
      ['bad-kind', spoil((view) => view.setUint8(frameAt + 6, 1))],
      ['bad-codec', spoil((view) => view.setUint8(frameAt + 7, 2))],
      ['wrong-run', spoil((view) => view.setUint32(frameAt + 8, 1, true))],
      ['wrong-base', spoil((view) => view.setUint32(frameAt + 12, params.version + 1, true))],
      ['wrong-length', spoil((view) => view.setUint32(frameAt + 16, DIM - 1, true))],
      ['wrong-layout', spoil((view) => view.setUint32(frameAt + 20, 1, true))],
      ['bad-checksum', spoil((view) => view.setUint8(good.length - 1, 77))],
      ['malformed-json', spoil((view) => view.setUint8(8, 0x20))],
      ['oversized', spoil((view) => view.setUint32(0, 5000, true))],
    ];
    for (const [reason, bytes] of cases) {
      const response = await worker.send(params.lease.id, bytes);
      expect([reason, response.status, ((await response.json()) as { reason: string }).reason]).toEqual([
        reason,
        400,
        reason,
      ]);
    }
    expect(await summary()).toMatchObject({ version: before.version, samples: before.samples });
    const { refused } = await row(worker);
    expect(Object.keys(refused).sort()).toEqual(cases.map(([reason]) => reason).sort());
    expect((await worker.send(params.lease.id, good)).status).toBe(200);
    expect(await summary()).toMatchObject({ version: before.version + 1 });
  });

  it('refuses a body over the limit before it reads it', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const { lease } = await worker.lease();
    const response = await worker.send(lease.id, new Uint8Array(worker.welcome.run.pushBytesMax + 1));
    expect(response.status).toBe(413);
  });

  it.each([
    ['not-finite', NaN],
    ['not-finite', Infinity],
    ['all-zero', 0],
  ])('[A1] [L9] refuses a gradient that is %s, and gives its samples to somebody else', async (reason, value) => {
    const worker = await PlainWorker.join(coordinator.url);
    const params = await worker.lease();
    const before = await summary();
    const { reply } = await worker.push(params, ones(value));
    expect(reply).toMatchObject({ outcome: 'rejected', reason, version: before.version });
    expect(await row(worker)).toMatchObject({ pushes: 0, refused: { [reason]: 1 } });
    expect(await summary()).toMatchObject({ version: before.version, samples: before.samples });
  });

  it('refuses another worker’s lease', async () => {
    const [a, b] = [await PlainWorker.join(coordinator.url), await PlainWorker.join(coordinator.url)];
    const { reply } = await b.push(await a.lease(), ones());
    expect(reply).toMatchObject({ outcome: 'rejected', reason: 'unknown-lease' });
  });

  it('tells an old page from a new one', async () => {
    const hello = {
      protocol: 0,
      run: 'digits',
      name: 'old',
      device: { backend: 'cpu', adapter: '', fallback: false, tried: [] },
    };
    const ask = async (body: object): Promise<unknown> =>
      (
        await fetch(`${coordinator.url}/data/runs/digits/workers`, { method: 'POST', body: JSON.stringify(body) })
      ).json();
    expect(await ask(hello)).toMatchObject({ ok: false, refusal: 'client-too-old' });
    expect(await ask({ ...hello, protocol: PROTOCOL_VERSION + 1 })).toMatchObject({
      ok: false,
      refusal: 'server-too-old',
    });
    expect(await ask({ ...hello, device: { backend: 'quantum' } })).toMatchObject({
      ok: false,
      refusal: 'malformed-hello',
    });
  });
});
