// Peers that are not there any more, and peers that do not read: what they cost, and for how long.

import { once } from 'node:events';
import { connect } from 'node:net';
import { io } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Started } from '../../server/host/start.ts';
import { TIMING } from '../../server/limits.ts';
import { asLeaseId, asRunId, asWorkerId, type WorkerId } from '../../shared/ids.ts';
import type { Next } from '../../shared/protocol/lease.ts';
import { digitsRun, PlainWorker, start, UNHURRIED } from '../server/harness.ts';
import { bufferBytes } from './memory.ts';
import { FaultProxy } from './proxy.ts';
import { unread } from './unread.ts';

let coordinator: Started;
let proxy: FaultProxy;
const RUN = asRunId('digits');
const QUICK = { ...UNHURRIED, pingEveryMs: 100, silentMs: 400 };
/** 1,192,510 parameters: more than the sockets of a connection hold. */
const LARGE = 'model: { name: mlp, hidden: [1500] }';
beforeEach(async () => {
  coordinator = await start([digitsRun()], { timing: QUICK });
  proxy = await FaultProxy.before(coordinator.url, 'peers');
});
afterEach(async () => {
  await proxy.close();
  await coordinator.close();
});

const connections = (): number => coordinator.guard.connections;
async function stream(token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${proxy.url.replace('http', 'ws')}/data/runs/digits/stream`);
  socket.on('error', () => undefined);
  await once(socket, 'open');
  socket.send(token);
  return socket;
}

describe('a peer that is not there any more', () => {
  it('[P8] [N6] is found out by its silence, on every kind of connection, within 45 s by default', async () => {
    expect(TIMING.silentMs + TIMING.pingEveryMs).toBeLessThanOrEqual(45_000);
    const worker = await PlainWorker.join(coordinator.url);
    const streamed = await stream(worker.welcome.token);
    const control = io(proxy.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    await new Promise<void>((resolve) => control.once('connect', resolve));
    const half = connect(Number(new URL(proxy.url).port), '127.0.0.1'); // begins a push, and never ends it
    half.on('error', () => undefined);
    half.write('POST /data/runs/digits/workers HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    await expect.poll(() => proxy.open).toBe(3);
    await expect.poll(connections).toBeGreaterThanOrEqual(3);
    const own = connections() - 3; // of this test's fetch, kept alive
    proxy.goSilent();
    streamed.terminate();
    await expect.poll(connections, { timeout: 10_000 }).toBeLessThanOrEqual(own);
    control.disconnect();
    half.destroy();
  });

  it('[N6] one that answers is kept, however little it says', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const streamed = await stream(worker.welcome.token);
    for (let pings = 0; pings < 8; pings++) await once(streamed, 'ping'); // twice as long as silence is borne
    expect(streamed.readyState).toBe(WebSocket.OPEN);
    streamed.terminate();
  });
});

/** Versions that pass by a worker in this process: pulls and pushes without sockets. */
class Steps {
  readonly blobBytes: number;
  readonly #worker: WorkerId;
  readonly #vector: Float32Array;

  constructor({ welcome }: PlainWorker) {
    this.#worker = asWorkerId(welcome.worker);
    this.#vector = new Float32Array(welcome.run.parameters);
    this.blobBytes = this.#vector.byteLength;
  }

  take(count: number): void {
    const { loop } = coordinator;
    const who = { run: RUN, worker: this.#worker };
    for (let i = 0; i < count; i++) {
      let next: Next | undefined;
      loop.ask((request) => ({ type: 'pull', ...who, request }), (reply) => (next = reply.next)); // prettier-ignore
      if (next?.kind !== 'lease') throw new Error(`no lease: ${JSON.stringify(next)}`);
      const { id, batches } = next.lease;
      const push = { lease: asLeaseId(id), loss: 1, samples: batches[0]!.count, wantsNext: false };
      const vector = this.#vector.fill(1e-6);
      loop.ask((request) => ({ type: 'push', ...who, request, vector, ...push }), () => undefined); // prettier-ignore
    }
  }
}

async function restart(yaml: string, timing = UNHURRIED): Promise<void> {
  await coordinator.close();
  coordinator = await start([digitsRun(`${LARGE}\n${yaml}`)], { timing });
}

describe('a peer that does not read', () => {
  const leasesOf = ({ welcome }: PlainWorker): number =>
    coordinator.loop.workers(RUN).find(({ id }) => id === welcome.worker)!.leases;

  it('[P8] [N4] costs its lease and one blob, while 400 versions pass', async () => {
    await restart('leases: { perWorker: 1 }');
    const [slow, fast] = [await PlainWorker.join(coordinator.url), await PlainWorker.join(coordinator.url)];
    const versions = new Steps(fast);
    versions.take(20);
    const before = bufferBytes();
    const socket = unread(coordinator.url, slow);
    await expect.poll(() => leasesOf(slow)).toBe(1);
    versions.take(400);
    expect(coordinator.loop.summary(RUN).version).toBe(420);
    expect(bufferBytes() - before).toBeLessThanOrEqual(2.1 * versions.blobBytes);
    socket.destroy();
  });

  it('[N4] is sent nothing more before it has read', async () => {
    await restart('leases: { perWorker: 4 }');
    const worker = await PlainWorker.join(coordinator.url);
    const first = unread(coordinator.url, worker);
    await expect.poll(() => leasesOf(worker)).toBe(1);
    const second = worker.pull();
    const third = worker.pull();
    await worker.request('/leases/none', { method: 'DELETE' }); // what was asked before has been looked at
    expect(leasesOf(worker)).toBe(1);
    first.destroy();
    expect((await second).params).not.toBeNull();
    expect((await third).params).not.toBeNull();
    expect(leasesOf(worker)).toBe(3);
  });

  it('[P8] [N6] is cut off when it takes nothing for too long', async () => {
    await restart('', QUICK);
    const worker = await PlainWorker.join(coordinator.url);
    const socket = unread(coordinator.url, worker);
    await expect.poll(connections).toBeGreaterThan(0);
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
    socket.destroy();
  });
});
