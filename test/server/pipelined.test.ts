// Many requests behind one that is not read: what of them is kept, and what becomes of them when the connection dies.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Started } from '../../server/host/start.ts';
import { asRunId } from '../../shared/ids.ts';
import type { WorkerRow } from '../../shared/protocol/snapshots.ts';
import { encodeStreamRequestHead, streamHeadBytes, STREAM_REQUESTS_MAX } from '../../shared/protocol/stream.ts';
import { digitsRun, PlainWorker, start, UNHURRIED } from './harness.ts';

const RUN = asRunId('large');
/** 1,192,510 parameters: more than the sockets of a connection hold. */
const LARGE = 'id: large\nmodel: { name: mlp, hidden: [1500] }';
const DOWNLOAD = '/api/runs/digits/model.safetensors';
const DOWNLOADS_MAX = 8;
const DOWNLOADS_PER_ADDRESS_MAX = 2;

let coordinator: Started;
beforeAll(async () => {
  const timing = { ...UNHURRIED, silentMs: 600_000 }; // who does not read is kept for as long as the test takes
  coordinator = await start([digitsRun(LARGE), digitsRun()], { timing });
});
afterAll(() => coordinator.close());

const pullOf = ({ welcome, run }: PlainWorker): string =>
  `POST /data/runs/${run}/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${welcome.token}\r\nContent-Length: 0\r\n\r\n`;
const join = (): Promise<PlainWorker> => PlainWorker.join(coordinator.url, 'large');
const rowOf = ({ welcome }: PlainWorker): WorkerRow =>
  coordinator.loop.workers(RUN).find(({ id }) => id === welcome.worker)!;

/** These requests in one packet, over a connection of its own. */
function send(...requests: string[]): Socket {
  return sendFrom('127.0.0.1', ...requests);
}

function sendFrom(localAddress: string, ...requests: string[]): Socket {
  const port = Number(new URL(coordinator.url).port);
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  socket.write(requests.join(''));
  return socket;
}

/**
 * The same, and no answer is read: nothing gets past the parameters that the first brings. Of a connection that breaks Node
 * tells the first answer and sometimes the second, so there is another between.
 */
async function sendUnread(...requests: string[]): Promise<Socket> {
  return sendUnreadFrom('127.0.0.1', ...requests);
}

async function sendUnreadFrom(address: string, ...requests: string[]): Promise<Socket> {
  const first = await join();
  const between = 'GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n';
  const socket = sendFrom(address, pullOf(first), between, between, ...requests).pause();
  await expect.poll(() => rowOf(first).leases).toBe(1);
  return socket;
}

it('[N4] [P8] parameters behind an answer that nobody reads are let go of with the connection', async () => {
  const worker = await join();
  const socket = await sendUnread(pullOf(worker));
  await expect.poll(() => rowOf(worker).leases).toBe(1);
  socket.resetAndDestroy();
  expect((await worker.pull()).params).not.toBeNull();
});

it('[N4] so are downloads, of which an address has a share: others have their turn', async () => {
  const download = async (): Promise<number> => {
    const response = await fetch(coordinator.url + DOWNLOAD);
    await response.arrayBuffer();
    return response.status;
  };
  const begun = (count: number): string[] => Array<string>(count).fill(`GET ${DOWNLOAD} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(await download()).toBe(200);
  const own = await sendUnread(...begun(DOWNLOADS_PER_ADDRESS_MAX));
  await expect.poll(download).toBe(503);
  own.resetAndDestroy();
  await expect.poll(download).toBe(200);

  const crowd = [];
  for (let host = 2; crowd.length < DOWNLOADS_MAX / DOWNLOADS_PER_ADDRESS_MAX; host++) {
    expect(await download()).toBe(200); // its share is its own
    crowd.push(await sendUnreadFrom(`127.0.0.${host}`, ...begun(DOWNLOADS_MAX)));
  }
  await expect.poll(download).toBe(503);
  for (const socket of crowd) socket.resetAndDestroy();
  await expect.poll(download).toBe(200);
});

it('[N4] of a worker that reads nothing so many requests are kept, and the next is told to come later', async () => {
  const worker = await join();
  const socket = await sendUnread(pullOf(worker));
  await expect.poll(() => rowOf(worker).leases).toBe(1);
  const pulls = Array.from({ length: STREAM_REQUESTS_MAX + 1 }, () => worker.pull());
  expect((await Promise.race(pulls)).reply.next).toMatchObject({ kind: 'wait', reason: 'lease-limit' });
  expect(rowOf(worker).leases).toBe(1);
  socket.resetAndDestroy();
  const leased = (await Promise.all(pulls)).filter(({ params }) => params !== null);
  expect(leased).toHaveLength(1); // it may have two
});

it('[N4] and those whose connection has closed have left their place to others', async () => {
  const worker = await join();
  const socket = await sendUnread(pullOf(worker));
  await expect.poll(() => rowOf(worker).leases).toBe(1);
  const pulling = Array.from({ length: STREAM_REQUESTS_MAX + 1 }, () => send(pullOf(worker)));
  await Promise.race(pulling.map((one) => once(one, 'data'))); // one too many: the others wait
  const open = coordinator.guard.connections;
  for (const one of pulling) one.destroy();
  await expect.poll(() => coordinator.guard.connections).toBeLessThanOrEqual(open - pulling.length);
  const pull = worker.pull();
  socket.resetAndDestroy();
  expect((await pull).params).not.toBeNull();
});

it('[N4] [W9] and so have pushes that were counted, over a stream', async () => {
  const worker = await join();
  const socket = await sendUnread(pullOf(worker));
  await expect.poll(() => rowOf(worker).leases).toBe(1);
  const stream = new WebSocket(`${coordinator.url.replace('http', 'ws')}/data/runs/large/stream`);
  await once(stream, 'open');
  stream.send(worker.welcome.token);
  for (let number = 0; number < STREAM_REQUESTS_MAX; number++) {
    const message = new Uint8Array(streamHeadBytes('none'));
    encodeStreamRequestHead(message, { number, verb: 'push', lease: 'none' });
    stream.send(message);
  }
  await expect.poll(() => rowOf(worker).refused['unknown-lease']).toBe(STREAM_REQUESTS_MAX);
  expect((await worker.pull()).reply.next).toMatchObject({ kind: 'wait', reason: 'lease-limit' });
  const open = coordinator.guard.connections;
  stream.terminate();
  await expect.poll(() => coordinator.guard.connections).toBeLessThan(open);
  const pull = worker.pull();
  socket.resetAndDestroy();
  expect((await pull).params).not.toBeNull();
});

it('[H10] [N4] what a worker asked for before its goodbye brings it no lease, and does not bring it back', async () => {
  const worker = await join();
  const socket = await sendUnread(pullOf(worker));
  await expect.poll(() => rowOf(worker).leases).toBe(1);
  const pulls = Array.from({ length: STREAM_REQUESTS_MAX + 1 }, () => worker.pull());
  await Promise.race(pulls); // one too many: the others wait
  expect((await worker.request('/workers', { method: 'DELETE' })).status).toBe(204);
  socket.resetAndDestroy();
  const replies = (await Promise.all(pulls)).map(({ reply }) => reply.next.kind);
  expect(new Set(replies)).toEqual(new Set(['wait']));
  expect(rowOf(worker)).toMatchObject({ state: 'gone', leases: 0 });
});
