// What a remote may do to the coordinator by mistake or on purpose: vanish, come back after it was forgotten, not read,
// not speak. None of it may stop the process or fill its memory.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Plane } from '../../server/adapters/http/plane.ts';
import { dataStream } from '../../server/adapters/http/stream.ts';
import type { Door } from '../../server/door.ts';
import { Guard } from '../../server/guard.ts';
import { NO_LIMITS, TIMING } from '../../server/limits.ts';
import { Origins } from '../../server/origins.ts';
import { startCoordinator, type Started } from '../../server/host/start.ts';
import { asRunId, asWorkerId } from '../../shared/ids.ts';
import type { ServerToWorker, WorkerToServer } from '../../shared/protocol/events.ts';
import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import { encodeStreamRequestHead, STREAM_REQUESTS_MAX, STREAM_UNKNOWN_TOKEN } from '../../shared/protocol/stream.ts';
import { ADMIN_TOKEN, DATA_DIR, digitsRun, PlainWorker, start } from './harness.ts';

/** One more than the workers that are remembered after they left. */
const FORGETTING = 501;
const run = asRunId('digits');

let coordinator: Started;
beforeAll(async () => {
  coordinator = await start([digitsRun()], { limits: NO_LIMITS }); // one of the tests says hello five hundred times
});
afterAll(() => coordinator.close());

const hello: Hello = {
  protocol: 2,
  run,
  name: 'remote',
  device: { backend: 'cpu', adapter: 'test', fallback: false, tried: [] },
};
type Control = Socket<ServerToWorker, WorkerToServer>;
const connect = (): Control => io(coordinator.url, { transports: ['websocket'], forceNew: true, reconnection: false });
async function greet(socket: Control): Promise<Extract<Welcome, { ok: true }>> {
  const welcome: Welcome = await socket.emitWithAck('hello', hello);
  if (!welcome.ok) throw new Error(welcome.refusal);
  return welcome;
}
const stream = async (url: string, token?: string): Promise<WebSocket> => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/data/runs/digits/stream`);
  await once(socket, 'open');
  if (token !== undefined) socket.send(token);
  return socket;
};
const pullNumbered = (number: number): Uint8Array => {
  const message = new Uint8Array(8);
  encodeStreamRequestHead(message, { number, verb: 'pull', lease: '' });
  return message;
};
const closeCode = async (socket: WebSocket): Promise<unknown> => (await once(socket, 'close'))[0] as unknown;

describe('a worker that was forgotten', () => {
  it('[S6] is told to say hello again, however it speaks', async () => {
    const plain = await PlainWorker.join(coordinator.url);
    const lease = await plain.lease();
    const socket = connect();
    const { worker, token } = await greet(socket);
    const streaming = await stream(coordinator.url, token);
    // As after a long silence, with its connections still open.
    for (const silent of [plain.welcome.worker, worker]) {
      coordinator.loop.dispatch({ type: 'leave', run, worker: asWorkerId(silent) });
    }
    const crowd = connect();
    for (let i = 0; i <= FORGETTING + 1; i++) await greet(crowd);
    crowd.disconnect();

    expect((await plain.request('/leases', { method: 'POST' })).status).toBe(401);
    expect((await plain.send(lease.lease.id, plain.body(lease, new Float32Array(7850).fill(1)))).status).toBe(401);
    streaming.send(pullNumbered(1));
    expect(await closeCode(streaming)).toBe(STREAM_UNKNOWN_TOKEN);
    socket.emit('status', { state: 'training' });
    await new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
    const back = await PlainWorker.join(coordinator.url, 'digits', plain.welcome.token);
    expect(back.welcome.worker).toBe(plain.welcome.worker);
    expect((await back.lease()).lease.id).toBeDefined();
  });
});

describe('a worker on several connections', () => {
  it('is told everything once, whoever it was before', async () => {
    const socket = connect();
    const heard: string[] = [];
    for (let i = 0; i < 3; i++) await greet(socket);
    const resumed = new Promise<void>((resolve) => {
      socket.on('control', ({ kind }) => {
        heard.push(kind);
        if (kind === 'resume') resolve();
      });
    });
    coordinator.loop.dispatch({ type: 'operator', run, command: 'pause' });
    coordinator.loop.dispatch({ type: 'operator', run, command: 'resume' });
    await resumed;
    expect(heard).toEqual(['pause', 'resume']);
    socket.disconnect();
  });

  it('[S3] is here while its newest one is', async () => {
    const [older, newer] = [connect(), connect()];
    const { token, worker } = await greet(older);
    await newer.emitWithAck('hello', { ...hello, token });
    const state = () => coordinator.loop.workers(run).find(({ id }) => id === worker)!.state;
    await greet(older); // as somebody else
    expect(state()).toBe('training');
    await PlainWorker.join(coordinator.url, 'digits', token);
    newer.disconnect();
    older.disconnect();
    await expect.poll(() => coordinator.loop.workers(run).at(-1)!.state).toBe('gone'); // the somebody else
    expect(state()).toBe('training');
  });
});

describe('a connection', () => {
  it.each(['/elsewhere', '/data/elsewhere', '/data/runs/none/stream'])(
    'to %s that would be a WebSocket is refused, and may break off',
    async (path) => {
      const { port } = new URL(coordinator.url);
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
      const broken = connectTcp(Number(port), '127.0.0.1');
      broken.on('error', () => undefined);
      broken.write(request, () => broken.resetAndDestroy());
      await once(broken, 'close');
      const refused = connectTcp(Number(port), '127.0.0.1');
      refused.write(request);
      const [answer] = (await once(refused, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 404/);
      await once(refused, 'close');
      expect((await fetch(`${coordinator.url}/api/health`)).status).toBe(200);
    },
  );

  it('does not keep the coordinator from closing', async () => {
    const own = await start([digitsRun()]);
    const { welcome } = await PlainWorker.join(own.url);
    const open = await stream(own.url, welcome.token);
    const closed = once(open, 'close');
    await own.close();
    await closed;
  });

  it('has no place on a port that is taken', async () => {
    const options = { host: '127.0.0.1', dataDir: DATA_DIR, adminToken: ADMIN_TOKEN, record: null };
    const log = { error: () => undefined, info: () => undefined } as never;
    const port = Number(new URL(coordinator.url).port);
    await expect(startCoordinator({ ...options, runs: [digitsRun()], port, log })).rejects.toThrow(/is taken/);
  });
});

describe('a stream', () => {
  it('[W9] has one request of a number at a time', async () => {
    const { welcome } = await PlainWorker.join(coordinator.url);
    coordinator.loop.dispatch({ type: 'operator', run, command: 'pause' });
    const socket = await stream(coordinator.url, welcome.token);
    socket.send(pullNumbered(1));
    socket.send(pullNumbered(1));
    expect(await closeCode(socket)).toBe(1007);
    coordinator.loop.dispatch({ type: 'operator', run, command: 'resume' });
  });

  /** A server of streams alone, every pull of which is answered at once with a megabyte. */
  async function generous(timing = TIMING): Promise<{ url: string; pulls: () => number; close: () => void }> {
    let pulls = 0;
    const frame = new Uint8Array(2 ** 20);
    const door = { has: () => true, manifest: () => ({ pushBytesMax: 100 }), identity: () => ({ run }) };
    const plane = {
      pull: (_identity: unknown, sink: Parameters<Plane['pull']>[1]) => {
        pulls += 1;
        sink.answer(new Uint8Array(8), frame, () => undefined);
        return () => undefined;
      },
      heldBack: () => Promise.resolve(0),
    };
    const server = createServer();
    const streams = dataStream(server, {
      origins: new Origins([]),
      door: door as unknown as Door,
      plane: plane as unknown as Plane,
      guard: new Guard({ timing }),
      others: [],
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = (): void => {
      streams.close();
      server.close();
    };
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pulls: () => pulls, close };
  }

  it('[W9] is closed when its answers are not read: they are not kept for it without end', async () => {
    const { url, pulls, close } = await generous();
    const socket = await stream(url, 'anybody');
    socket.pause();
    const asked = 64 + STREAM_REQUESTS_MAX; // more megabytes than sockets hold
    const closed = closeCode(socket);
    for (let i = 0; i < STREAM_REQUESTS_MAX; i++) socket.send(pullNumbered(i));
    await expect.poll(pulls).toBe(STREAM_REQUESTS_MAX);
    for (let i = STREAM_REQUESTS_MAX; i < asked; i++) socket.send(pullNumbered(i));
    socket.resume();
    expect(await closed).toBe(1008);
    expect(pulls()).toBeLessThan(asked);
    close();
  });

  it('is closed when it does not say whose it is', async () => {
    const { url, close } = await generous({ ...TIMING, tokenMs: 1 });
    const socket = await stream(url);
    expect(await closeCode(socket)).toBe(1006);
    close();
  });
});
