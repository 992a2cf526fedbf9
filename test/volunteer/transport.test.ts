// The data plane's client against a real HTTP server: what is sent, what is believed, and how failures are told.

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestError } from '../../client/worker/ports.ts';
import { ShardCache } from '../../client/worker/shard-cache.ts';
import { HttpTransport } from '../../client/worker/transport.ts';
import { encodeShard } from '../../shared/data/shard.ts';
import type { Samples, ShardRef } from '../../shared/data/spec.ts';
import type { Welcome } from '../../shared/protocol/messages.ts';
import { DataPlane, envelope, error, readPush } from './dataplane.ts';
import { give, lease, manifest, replyOf, wait, welcome } from './rig.ts';

const params = new Float32Array(manifest.parameters).map((_, i) => i / 8 - 1);
const meta = { loss: 1.5, samples: 5, computeMs: 12 };

let plane: DataPlane;
let transport: HttpTransport;

beforeEach(async () => {
  plane = await DataPlane.listen();
  transport = new HttpTransport({ url: plane.url });
  transport.admit(welcome() as Extract<Welcome, { ok: true }>);
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await plane.close();
});

const failureOf = async (promise: Promise<unknown>): Promise<unknown> => {
  const caught: unknown = await promise.catch((reason: unknown) => reason);
  if (!(caught instanceof RequestError)) throw new Error(`expected a RequestError, got ${String(caught)}`);
  return caught.failure;
};

describe('exchanges', () => {
  it('[V25] pulls a lease with its parameters, with the token of the welcome', async () => {
    plane.answers = [envelope({ next: give('a') }, params)];
    const { reply, params: received } = await transport.pull();
    expect(reply).toEqual({ next: give('a') });
    expect(received).toEqual(params);
    expect(plane.received[0]).toMatchObject({ method: 'POST', path: '/data/runs/digits/leases' });
    expect(plane.received[0]!.authorization).toBe('Bearer token-1');
    expect(plane.received[0]!.body).toHaveLength(0);
  });

  it('[V25] pushes the gradient with its base version, and gets the next lease with the answer', async () => {
    const reply = replyOf(give('b'));
    plane.answers = [envelope(reply, params)];
    const vector = params.map((x) => -x);
    const answer = await transport.push(lease('a'), { ...meta, vector, next: true });
    expect(answer).toEqual({ reply, params });
    const sent = plane.received[0]!;
    expect(sent.path).toBe('/data/runs/digits/leases/a');
    expect(readPush(sent, 7)).toEqual({ meta, vector });
  });

  it('[V25] asks for no other lease with ?next=0, and believes an answer without one', async () => {
    plane.answers = [envelope(replyOf(wait(0, 'paused')))];
    const answer = await transport.push(lease('a'), { ...meta, vector: params, next: false });
    expect(answer.params).toBeNull();
    expect(plane.received[0]!.path).toBe('/data/runs/digits/leases/a?next=0');
  });

  it('[V10] sends the same bytes when it sends a push again, whatever was pushed between', async () => {
    plane.answers = [error(503), envelope(replyOf(wait(0)))];
    const push = (id: string, scale: number): Promise<unknown> =>
      transport.push(lease(id), { ...meta, vector: params.map((x) => scale * x), next: true }).catch(() => null);
    await push('a', 1);
    await push('b', 2);
    await push('a', 1);
    const [first, other, again] = plane.received.map(({ body }) => body);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('[V10] two pushes at the same time do not write over each other', async () => {
    plane.answers = [envelope(replyOf(wait(0)))];
    const vectors = [1, 2, 3, 4].map((k) => params.map((x) => k * x));
    await Promise.all(vectors.map((vector, i) => transport.push(lease(`l${i}`), { ...meta, vector, next: true })));
    const sorted = plane.received.toSorted((a, b) => a.path.localeCompare(b.path));
    expect(sorted.map((sent) => readPush(sent, 7).vector)).toEqual(vectors);
  });

  it('[V25] packs what it pushes as the run asks', async () => {
    transport.admit(welcome({ pushCodec: 'f16' }) as Extract<Welcome, { ok: true }>);
    plane.answers = [envelope(replyOf(wait(0)))];
    await transport.push(lease('a'), { ...meta, vector: params, next: true });
    const f32 = 4 * params.length;
    expect(plane.received[0]!.body.byteLength).toBeLessThan(f32 + 150);
    expect(() => readPush(plane.received[0]!, 7)).toThrow('bad-codec');
  });

  it('[V25] gives a lease back with DELETE', async () => {
    plane.answers = [(_, response) => response.writeHead(204).end()];
    await transport.release('a');
    expect(plane.received[0]).toMatchObject({ method: 'DELETE', path: '/data/runs/digits/leases/a' });
  });

  it('[V8] does not believe parameters whose bytes have changed, or of another version', async () => {
    const flip = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1);
    plane.answers = [envelope({ next: give('a') }, params, flip), envelope({ next: give('b') })];
    expect(await transport.pull()).toMatchObject({ reply: { next: { kind: 'lease' } }, params: null });
    expect((await transport.pull()).params).toBeNull(); // no frame at all
  });

  it('[V8] reuses the memory that is handed back, and no other', async () => {
    plane.answers = [envelope({ next: give('a') }, params)];
    const first = (await transport.pull()).params!;
    const second = (await transport.pull()).params!;
    expect(second).not.toBe(first);
    transport.recycle(first.fill(9));
    expect((await transport.pull()).params).toBe(first);
    expect(first).toEqual(params);
  });
});

describe('failures', () => {
  it('[V12] tells that it is not known', async () => {
    plane.answers = [error(401)];
    expect(await failureOf(transport.pull())).toEqual({ kind: 'status', status: 401 });
  });

  it('[V10] passes on when to come back', async () => {
    plane.answers = [error(503, { 'Retry-After': '7' })];
    const failure = await failureOf(transport.push(lease('a'), { ...meta, vector: params, next: true }));
    expect(failure).toEqual({ kind: 'status', status: 503, retryAfterMs: 7_000 });
  });

  it('[V10] tells an answer that is cut short from one that is not of this protocol', async () => {
    const whole = envelope({ next: give('a') }, params);
    const half = envelope({ next: give('a') }, params, (bytes) => bytes.subarray(0, bytes.length / 2));
    plane.answers = [half, (_, response) => response.end('<html>'), (_, response) => response.destroy(), whole];
    expect(await failureOf(transport.pull())).toEqual({ kind: 'unreadable', reason: 'the answer is truncated' });
    expect(await failureOf(transport.pull())).toMatchObject({ kind: 'unreadable' });
    expect(await failureOf(transport.pull())).toEqual({ kind: 'network' });
    expect((await transport.pull()).params).toEqual(params);
  });

  it('[V10] tells a connection that breaks in the middle of an answer', async () => {
    plane.answers = [
      (_, response) => {
        response.writeHead(200, { 'Content-Length': '5000' }).write('12345678');
        setImmediate(() => response.destroy());
      },
    ];
    expect(await failureOf(transport.pull())).toEqual({ kind: 'network' });
  });

  it('[V16] leaving cuts off a pull that waits for work, and no push', async () => {
    const open: (() => void)[] = [];
    const bothArrived = new Promise<void>((resolve) => {
      plane.answers = [
        (request, response) => {
          open.push(() => envelope(replyOf(wait(0)))(request, response));
          if (open.length === 2) resolve();
        },
      ];
    });
    const pull = failureOf(transport.pull());
    const push = transport.push(lease('a'), { ...meta, vector: params, next: false });
    await bothArrived;
    transport.close();
    expect(await pull).toEqual({ kind: 'network' });
    open.forEach((answer) => answer());
    expect((await push).reply.outcome).toBe('applied');
  });
});

describe('shards', () => {
  const samples = (fill: number, count = 3): Samples => ({
    count,
    sampleBytes: 4,
    labels: new Uint8Array(count).fill(1),
    features: new Uint8Array(4 * count).fill(fill),
  });
  const make = (fill: number): { bytes: Uint8Array; ref: ShardRef } => {
    const bytes = encodeShard(samples(fill), Uint32Array.of(0, 1, 2));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { bytes, ref: { sha256, bytes: bytes.byteLength, count: 3 } };
  };
  const send = (bytes: Uint8Array): ((_: unknown, response: { end(b: Uint8Array): unknown }) => void) => {
    return (_, response) => void response.end(bytes);
  };

  it('[V23] fetches a shard once, even when it is asked for twice at the same time', async () => {
    const { bytes, ref } = make(7);
    plane.answers = [send(bytes)];
    const [a, b] = await Promise.all([transport.shard(ref), transport.shard(ref)]);
    expect(a).toBe(b);
    expect(a.features).toEqual(samples(7).features);
    await transport.shard(ref);
    expect(plane.received.map(({ path }) => path)).toEqual([`/data/blobs/${ref.sha256}`]);
  });

  it('[V24] fetches bytes that do not match their address once more, past every cache', async () => {
    const { bytes, ref } = make(7);
    plane.answers = [send(bytes.with(20, 99)), send(bytes)];
    expect((await transport.shard(ref)).features).toEqual(samples(7).features);
    expect(plane.received).toHaveLength(2);
    expect(plane.received[1]!.cacheControl).toBe('no-cache');
  });

  it('[V24] never hands out bytes that do not match twice, and tries afresh when asked again', async () => {
    const { bytes, ref } = make(7);
    plane.answers = [send(bytes.with(20, 99))];
    expect(await failureOf(transport.shard(ref))).toMatchObject({ kind: 'unreadable' });
    expect(plane.received).toHaveLength(2);
    plane.answers = [send(bytes)];
    expect((await transport.shard(ref)).count).toBe(3);
  });

  it('[V24] checks them also where the browser withholds its cryptography', async () => {
    const { bytes, ref } = make(7);
    vi.stubGlobal('crypto', {});
    plane.answers = [send(bytes.with(20, 99)), send(bytes)];
    expect((await transport.shard(ref)).features).toEqual(samples(7).features);
    expect(plane.received).toHaveLength(2);
  });

  it('[V23] keeps the shards used last, within its bytes', async () => {
    const cache = new ShardCache(33); // two of 15 bytes
    const loads: string[] = [];
    const get = (name: string): Promise<Samples> =>
      cache.get(name, () => {
        loads.push(name);
        return Promise.resolve(samples(1));
      });
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await get(name);
    expect(loads).toEqual(['a', 'b', 'c', 'b']);
  });

  it('[V23] keeps one shard that is larger than the whole cache', async () => {
    const cache = new ShardCache(1);
    let loads = 0;
    const get = (): Promise<Samples> => cache.get('a', () => Promise.resolve(samples(++loads)));
    await get();
    await get();
    expect(loads).toBe(1);
  });
});
