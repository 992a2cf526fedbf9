// Memory for the bodies of pushes: what one remote can take of it, over HTTP and over streams, and what is left for others.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { NO_LIMITS } from '../../server/limits.ts';
import type { Started, StartOptions } from '../../server/host/start.ts';
import { encodeStreamRequestHead } from '../../shared/protocol/stream.ts';
import { digitsRun, PlainWorker, start } from './harness.ts';

const DIM = 7850;
const BODY_BYTES = 8 + 4096 + 32 + 4 * DIM;
const ROOM_BODIES = 8;
/** Room for so many pushes, and of one address for an eighth of that. */
const limits = { ...NO_LIMITS, bodiesBytes: ROOM_BODIES * BODY_BYTES, bodiesBytesPerAddress: BODY_BYTES };
/** Another than this process's own. */
const THERE = '127.0.0.2';
const FORWARDED = { 'x-forwarded-for': '203.0.113.7' };
const STREAMS_MAX = 4;

let coordinator: Started;

const join = (): Promise<PlainWorker> => PlainWorker.join(coordinator.url);
const many = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: ROOM_BODIES }, make));
const push = async (worker: PlainWorker, params: Awaited<ReturnType<PlainWorker['lease']>>): Promise<string> =>
  (await worker.push(params, new Float32Array(DIM).fill(1e-3))).reply.outcome;

interface From {
  readonly localAddress?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The head of a push, whose body does not follow. */
function begin({ welcome }: PlainWorker, lease: string, from: From = {}, bytes = BODY_BYTES): Socket {
  const { localAddress = '127.0.0.1', headers = {} } = from;
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join(''); // prettier-ignore
  const port = Number(new URL(coordinator.url).port);
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  socket.write(
    `POST /data/runs/digits/leases/${lease} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${welcome.token}\r\n${more}Content-Length: ${bytes}\r\n\r\n`,
  );
  return socket;
}

/** One that is known to be this worker's. */
async function stream({ welcome }: PlainWorker, from: From = {}): Promise<WebSocket> {
  const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}/data/runs/digits/stream`, from);
  socket.on('error', () => undefined);
  await once(socket, 'open');
  const ask = new Uint8Array(8);
  encodeStreamRequestHead(ask, { number: 1, verb: 'pull', lease: '' });
  socket.send(welcome.token);
  socket.send(ask);
  await once(socket, 'message');
  return socket;
}

const ways: readonly [string, From, Partial<StartOptions>][] = [
  ['', { localAddress: THERE }, {}],
  [', behind a proxy that says whose they are', { headers: FORWARDED }, { trustProxy: true }],
];
describe.each(ways)('bodies of one address that never end%s', (_, from, options) => {
  beforeAll(async () => {
    coordinator = await start([digitsRun()], { limits, ...options });
  });
  afterAll(() => coordinator.close());

  it('[N4] keep no other’s out', async () => {
    const honest = await join();
    const params = await honest.lease();
    const hostile = await many(join);
    const sockets = await Promise.all(hostile.map(async (one) => begin(one, (await one.lease()).lease.id, from)));
    const { guard } = coordinator;
    await expect.poll(() => guard.bodiesBytes / BODY_BYTES + guard.heldBack.bodies).toBe(ROOM_BODIES);
    expect(await push(honest, params)).toBe('applied');
    expect(guard.bodiesBytes).toBe(BODY_BYTES);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => guard.bodiesBytes).toBe(0);
  });

  it('[N4] nor do messages of its streams', async () => {
    const honest = await join();
    const params = await honest.lease();
    const sockets = await Promise.all((await many(join)).map((one) => stream(one, from)));
    const piece = new Uint8Array(BODY_BYTES - 1000);
    let closed = 0;
    for (const socket of sockets) {
      socket.once('close', () => (closed += 1));
      socket.send(piece, { fin: false });
    }
    const { guard } = coordinator;
    const begun = (): number => guard.bodiesBytes + closed * piece.length;
    await expect.poll(begun).toBeGreaterThanOrEqual(ROOM_BODIES * piece.length);
    expect(await push(honest, params)).toBe('applied');
    for (const socket of sockets) socket.terminate();
    await expect.poll(() => guard.bodiesBytes).toBe(0);
  });
});

describe('of one worker', () => {
  beforeAll(async () => {
    coordinator = await start([digitsRun()], { limits });
  });
  afterAll(() => coordinator.close());

  it('[N4] [L5] a body for a lease that nobody has takes no memory, and is answered as any', async () => {
    const worker = await join();
    const sockets = Array.from({ length: 3 }, () => begin(worker, 'x', {}, 1000));
    await Promise.race(sockets.map((socket) => once(socket.resume(), 'close'))); // one made way: all have begun
    expect(coordinator.guard.bodiesBytes).toBe(0);
    const other = sockets.find(({ destroyed }) => !destroyed)!;
    other.write(new Uint8Array(1000));
    const [answer] = (await once(other, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200[^]*"outcome":"rejected","reason":"unknown-lease"/);
  });

  it('[N4] [W9] of a worker’s streams the oldest makes way', async () => {
    const worker = await join();
    const sockets: WebSocket[] = [];
    for (let i = 0; i < STREAMS_MAX; i++) sockets.push(await stream(worker));
    expect(sockets.every(({ readyState }) => readyState === WebSocket.OPEN)).toBe(true);
    const [oldest, ...others] = sockets;
    const closed = once(oldest!, 'close');
    others.push(await stream(worker));
    await closed;
    expect(others.every(({ readyState }) => readyState === WebSocket.OPEN)).toBe(true);
    for (const socket of others) socket.terminate();
  });
});
