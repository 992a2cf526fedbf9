// Limits at the wire: sizes to the byte, rates, connections, and what a control connection may say.

import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startVolunteers } from '../../client/headless/volunteers.ts';
import { NO_LIMITS, type Limits, type RateName } from '../../server/limits.ts';
import type { Started, StartOptions } from '../../server/host/start.ts';
import { encodeStreamRequestHead, streamHeadBytes } from '../../shared/protocol/stream.ts';
import { digitsRun, PlainWorker, start, UNHURRIED } from './harness.ts';

const DIM = 7850;
const HEADER_BYTES = 32;

let coordinator: Started;
const open = async (options: Partial<StartOptions> = {}, yaml = ''): Promise<void> => {
  coordinator = await start([digitsRun(yaml)], options);
};
afterEach(() => coordinator.close());

const limited = (rates: Partial<Record<RateName, number>>): { limits: Limits } => {
  const own = Object.entries(rates).map(([name, points]) => [name, { points, seconds: 60 }]);
  return { limits: { ...NO_LIMITS, rates: { ...NO_LIMITS.rates, ...Object.fromEntries(own) } as Limits['rates'] } };
};
const health = (): Promise<Response> => fetch(`${coordinator.url}/api/health`);
const port = (): number => Number(new URL(coordinator.url).port);
const raw = (bytes: string): TcpSocket => {
  const socket = connect(port(), '127.0.0.1').on('error', () => undefined);
  socket.write(bytes);
  return socket;
};

/** However it ends. */
const closed = (socket: TcpSocket): Promise<void> =>
  new Promise((resolve) => socket.resume().once('close', () => resolve()));

/** A push whose JSON is as long as may be, with `more` zeros behind. */
function padded(worker: PlainWorker, params: Awaited<ReturnType<PlainWorker['lease']>>, more = 0) {
  const plain = worker.body(params, new Float32Array(DIM).fill(1e-3));
  const frame = plain.subarray(plain.length - HEADER_BYTES - 4 * DIM);
  const text = JSON.stringify({ loss: 1, samples: 64, computeMs: 1 }).padEnd(4096);
  const bytes = new Uint8Array(8 + 4096 + frame.length + more);
  bytes.set(plain.subarray(0, 8));
  new DataView(bytes.buffer).setUint32(0, 4096, true);
  bytes.set(new TextEncoder().encode(text), 8);
  bytes.set(frame, 8 + 4096);
  return bytes;
}

describe('the size of a push', () => {
  it('[N10] [P20] is the frame that is expected and 4 KiB, to the byte, and told in the welcome', async () => {
    await open({}, 'batchSize: 64');
    const worker = await PlainWorker.join(coordinator.url);
    const { pushBytesMax } = worker.welcome.run;
    expect(pushBytesMax).toBe(8 + 4096 + HEADER_BYTES + 4 * DIM);
    const params = await worker.lease();
    expect((await worker.send(params.lease.id, padded(worker, params, 1))).status).toBe(413);
    const exact = padded(worker, params);
    expect(exact).toHaveLength(pushBytesMax);
    expect((await worker.send(params.lease.id, exact)).status).toBe(200);
  });

  it('[N10] is half as much where numbers are packed in half', async () => {
    await open({}, 'codec: { push: f16 }');
    const worker = await PlainWorker.join(coordinator.url);
    expect(worker.welcome.run.pushBytesMax).toBe(8 + 4096 + HEADER_BYTES + 2 * DIM);
  });

  it('[N10] [P20] closes a stream with 1009 when it is more', async () => {
    await open();
    const worker = await PlainWorker.join(coordinator.url);
    const { lease } = await worker.lease();
    const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}/data/runs/digits/stream`);
    await once(socket, 'open');
    socket.send(worker.welcome.token);
    const message = new Uint8Array(128 + worker.welcome.run.pushBytesMax + 1);
    encodeStreamRequestHead(message, { number: 1, verb: 'push', lease: lease.id });
    expect(streamHeadBytes('x'.repeat(64))).toBeLessThanOrEqual(128);
    socket.send(message);
    expect((await once(socket, 'close'))[0]).toBe(1009);
  });

  it('[N10] [P20] ends a volunteer that is above it, after one more try, in words', async () => {
    await open();
    const { loop } = coordinator;
    const manifest = loop.manifest.bind(loop);
    let asked = 0;
    Object.assign(loop, {
      manifest: (run: Parameters<typeof manifest>[0]) => {
        asked += 1;
        return { ...manifest(run), pushBytesMax: 1000 };
      },
    });
    const { ok, reason } = await startVolunteers({ url: coordinator.url, count: 1, backend: 'cpu' }).done;
    expect([ok, reason]).toEqual([false, expect.stringMatching(/large/)]);
    expect(loop.summary(digitsRun().id).samples).toBe(0);
    expect(asked).toBeLessThan(20);
  });
});

describe('rates at the wire', () => {
  it('[N1] answer 429 with Retry-After, to a worker, to an address, to a hello, to a page', async () => {
    await open(limited({ worker: 3, hello: 2, page: 2 }));
    const worker = await PlainWorker.join(coordinator.url);
    for (let i = 0; i < 3; i++) await worker.request('/leases/none', { method: 'DELETE' });
    const over = [
      await worker.request('/leases', { method: 'POST' }),
      await (async () => {
        await PlainWorker.join(coordinator.url);
        return fetch(`${coordinator.url}/data/runs/digits/workers`, { method: 'POST', body: '{}' });
      })(),
      await (async () => {
        await health();
        await health();
        return health();
      })(),
    ];
    for (const { status, headers } of over) {
      expect(status).toBe(429);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(30);
    }
    expect(coordinator.guard.heldBack).toMatchObject({ worker: 1, hello: 1, page: 1 });
  });

  it('[N2] go by X-Forwarded-For behind a proxy that is trusted', async () => {
    await open({ ...limited({ page: 1 }), trustProxy: true });
    const from = (address: string): Promise<Response> =>
      fetch(`${coordinator.url}/api/health`, { headers: { 'x-forwarded-for': `1.1.1.1, ${address}` } });
    expect((await from('10.0.0.1')).status).toBe(200);
    expect((await from('10.0.0.1')).status).toBe(429);
    expect((await from('10.0.0.2')).status).toBe(200);
  });
});

describe('connections', () => {
  it('[N3] of one address have a bound, and room again when one closes', async () => {
    await open({ limits: { ...NO_LIMITS, connectionsPerAddress: 3 } });
    const held = Array.from({ length: 3 }, () => raw(''));
    await expect.poll(() => coordinator.guard.connections).toBe(3);
    await expect(health()).rejects.toThrow();
    held[0]!.destroy();
    await expect.poll(() => coordinator.guard.connections).toBe(2);
    expect((await health()).status).toBe(200);
    for (const socket of held) socket.destroy();
  });

  it('[N5] whose headers or bodies come drop by drop are closed, and hold nothing', async () => {
    const timing = { ...UNHURRIED, headersMs: 300, bodyGraceMs: 300, silentMs: 60_000 };
    await open({ timing });
    const head = 'POST /data/runs/digits/workers HTTP/1.1\r\nHost: localhost\r\n';
    const sockets = [raw('GET / HT'), raw(head), raw(`${head}Content-Length: 100\r\n\r\n{`)];
    const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('x')), 20);
    await Promise.all(sockets.map(closed));
    clearInterval(drip);
    expect(coordinator.guard.bodiesBytes).toBe(0);
  });

  it('[N5] whose headers are huge are answered 431', async () => {
    await open();
    const socket = raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 431/);
    socket.destroy();
  });

  it('[N4] whose bodies are more than there is memory for are asked to come again', async () => {
    await open({ limits: { ...NO_LIMITS, bodiesBytes: 10 } });
    const head = 'POST /data/runs/digits/workers HTTP/1.1\r\nHost: localhost\r\n';
    const slow = raw(`${head}Content-Length: 100\r\n\r\n`);
    await expect.poll(() => coordinator.guard.bodiesBytes).toBe(100);
    const [answer] = (await once(raw(`${head}Content-Length: 100\r\n\r\n`), 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 503[^]*retry-after: 2/i);
    slow.destroy();
    await expect.poll(() => coordinator.guard.bodiesBytes).toBe(0);
  });

  it('[N4] of one worker carry as many bodies as it may have leases; the oldest makes way', async () => {
    await open();
    const worker = await PlainWorker.join(coordinator.url);
    const { lease } = await worker.lease();
    const head = `POST /data/runs/digits/leases/${lease.id} HTTP/1.1\r\nHost: localhost\r\n`;
    const begun = (): TcpSocket =>
      raw(`${head}Authorization: Bearer ${worker.welcome.token}\r\nContent-Length: 1000\r\n\r\n`);
    const [first, second] = [begun(), begun()];
    await expect.poll(() => coordinator.guard.bodiesBytes).toBe(2000);
    const third = begun();
    await Promise.race([first, second].map(closed));
    await expect.poll(() => coordinator.guard.bodiesBytes).toBe(2000);
    for (const socket of [first, second, third]) socket.destroy();
  });
});

describe('a control connection', () => {
  const control = async (): Promise<Socket> => {
    const socket = io(coordinator.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return socket;
  };
  const gone = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('disconnect', resolve));
  /** One whose packets are written by hand. */
  const bare = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const connected = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => data.toString().startsWith('40') && resolve());
    });
    await once(socket, 'open');
    socket.send('40');
    await connected;
    return socket;
  };

  it('[N8] [N1] is closed when it says more than any of ours would, and asked to wait when it says hello too often', async () => {
    await open(limited({ packet: 50, hello: 1 }));
    const socket = await control();
    await socket.emitWithAck('hello', {});
    expect(await socket.emitWithAck('hello', {})).toMatchObject({ ok: false, refusal: 'busy' });
    for (let i = 0; i < 60; i++) socket.emit('status', { state: 'training' });
    await gone(socket);
    expect(coordinator.guard.heldBack.packet).toBeGreaterThan(0);
  });

  it('[N8] [P19] is closed for what is no packet, or too large a one, and nothing else happens', async () => {
    await open();
    const placeholders = Array.from({ length: 11 }, (_, num) => `{"_placeholder":true,"num":${num}}`);
    const packets = [
      `42["status","${'x'.repeat(40_000)}"]`,
      `4511-["status",${placeholders.join(',')}]`,
      '451e9-["status"]',
      '42{"a":1}',
      '42["status"',
      '4',
    ];
    for (const packet of packets) {
      const socket = await bare();
      socket.send(packet);
      await once(socket, 'close');
    }
    expect((await health()).status).toBe(200);
  });

  it('[N8] [P19] has events of no name that we know ignored, and counted; deep JSON and prototypes do nothing', async () => {
    await open();
    const socket = await bare();
    socket.send(`42["status",${'['.repeat(15_000)}${']'.repeat(15_000)}]`);
    socket.send('42["status",{"__proto__":{"state":"x"},"constructor":{"prototype":{"state":"x"}}}]');
    for (const name of ['shutdown', '__proto__', 'constructor', 'toString']) socket.send(`42["${name}",{"a":1}]`);
    await expect.poll(() => coordinator.guard.heldBack.event).toBe(4);
    expect(({} as Record<string, unknown>)['state']).toBeUndefined();
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });
});
