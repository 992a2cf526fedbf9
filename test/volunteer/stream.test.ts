// The data plane over a WebSocket, against the real coordinator: the same exchanges as over HTTP, and what goes wrong.

import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSocket } from '../../client/headless/socket.ts';
import { RequestError, type Answer } from '../../client/worker/ports.ts';
import { HttpTransport } from '../../client/worker/transport.ts';
import type { Started } from '../../server/host/start.ts';
import type { PullReply } from '../../shared/protocol/lease.ts';
import { decodeStreamRequest, encodeStreamRequestHead, streamHeadBytes } from '../../shared/protocol/stream.ts';
import { digitsRun, PlainWorker, start } from '../server/harness.ts';

let coordinator: Started;
beforeAll(async () => {
  coordinator = await start([digitsRun(), digitsRun('id: rounds\nmethod: { name: ssgd, learningRate: 0.01 }')]);
});
afterAll(() => coordinator.close());

const admitted = async (run = 'digits', url = coordinator.url): Promise<HttpTransport> => {
  const { welcome } = await PlainWorker.join(coordinator.url, run);
  const transport = new HttpTransport({ url, openSocket });
  transport.admit(welcome);
  return transport;
};
const leaseOf = ({ reply, params }: Answer<PullReply>) => {
  if (reply.next.kind !== 'lease' || params === null) throw new Error(`no lease: ${JSON.stringify(reply.next)}`);
  return { lease: reply.next.lease, params };
};
const gradient = (): Float32Array => new Float32Array(7850).fill(0.5);
const failureOf = async (promise: Promise<unknown>): Promise<unknown> => {
  const caught: unknown = await promise.catch((reason: unknown) => reason);
  if (!(caught instanceof RequestError)) throw new Error(`expected a RequestError, got ${String(caught)}`);
  return caught.failure;
};
const pushOf = (samples = 64) => ({ loss: 1, samples, computeMs: 1, vector: gradient(), next: true });

describe('the stream', () => {
  it('[W9] pulls and pushes as HTTP does: θ moves, and the answer carries the next lease', async () => {
    const transport = await admitted();
    const { lease, params } = leaseOf(await transport.pull());
    const first = params[0]!;
    const answer = await transport.push(lease, pushOf());
    expect(answer.reply).toMatchObject({ outcome: 'applied', repeated: false, lag: 0 });
    expect(answer.params![0]).toBeCloseTo(first - 0.005, 6);
    expect((await transport.push(lease, pushOf())).reply).toMatchObject({ outcome: 'applied', repeated: true });
    const last = await transport.push(leaseOf(answer).lease, { ...pushOf(), next: false });
    expect(last).toMatchObject({ reply: { next: { kind: 'wait' } }, params: null });
    transport.close();
  });

  it('[W9] carries several exchanges at once: a pull that waits holds up no push', async () => {
    const [slow, fast] = [await admitted('rounds'), await admitted('rounds')];
    const { lease } = leaseOf(await slow.pull());
    const held = leaseOf(await fast.pull());
    await fast.push(held.lease, { ...pushOf(), next: false });
    const waiting = fast.pull(); // until the round is over
    await slow.push(lease, { ...pushOf(), next: false });
    expect((await waiting).reply.next.kind).toBe('lease');
    fast.close();
    slow.close();
  });

  it('tells an unknown token as HTTP does', async () => {
    const transport = new HttpTransport({ url: coordinator.url, openSocket });
    const { welcome } = await PlainWorker.join(coordinator.url);
    transport.admit({ ...welcome, token: 'guess' });
    expect(await failureOf(transport.pull())).toEqual({ kind: 'status', status: 401, retryAfterMs: undefined });
  });

  it('[L12] names what is wrong with a body, and stays open', async () => {
    const transport = await admitted();
    const { lease } = leaseOf(await transport.pull());
    const wrong = { ...lease, baseVersion: lease.baseVersion + 1 };
    expect(await failureOf(transport.push(wrong, pushOf()))).toMatchObject({ kind: 'status', status: 400 });
    expect((await transport.push(lease, pushOf())).reply.outcome).toBe('applied');
    transport.close();
  });

  it('closes on what it cannot read, on too much, and on text', async () => {
    const { welcome } = await PlainWorker.join(coordinator.url);
    const closeCode = async (message: string | Uint8Array): Promise<unknown> => {
      const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}/data/runs/digits/stream`);
      await once(socket, 'open');
      socket.send(welcome.token);
      socket.send(message);
      return (await once(socket, 'close'))[0] as unknown;
    };
    expect(await closeCode('hello')).toBe(1007);
    expect(await closeCode(new Uint8Array(3))).toBe(1007);
    expect(await closeCode(new Uint8Array(welcome.run.pushBytesMax + 1000))).toBe(1009);
  });

  it('[V29] [P20] a push above the limit fails as too large, as it does over HTTP', async () => {
    const { welcome } = await PlainWorker.join(coordinator.url);
    const parameters = 2 * welcome.run.parameters;
    for (const transport of [new HttpTransport({ url: coordinator.url, openSocket }), new HttpTransport(coordinator)]) {
      const { lease } = leaseOf(await (await admitted()).pull());
      transport.admit({ ...welcome, run: { ...welcome.run, parameters } });
      const push = { ...pushOf(), vector: new Float32Array(parameters) };
      expect(await failureOf(transport.push(lease, push))).toMatchObject({ kind: 'status', status: 413 });
      transport.close();
    }
  });

  it('gives up on streams, and goes on by fetch, where they do not open', async () => {
    const proxy = await withoutUpgrades(coordinator.url);
    const transport = await admitted('digits', proxy.url);
    expect(await failureOf(transport.pull())).toEqual({ kind: 'network' });
    expect(await failureOf(transport.pull())).toEqual({ kind: 'network' });
    const { lease } = leaseOf(await transport.pull());
    expect((await transport.push(lease, pushOf())).reply.outcome).toBe('applied');
    transport.admit((await PlainWorker.join(coordinator.url)).welcome); // and tries again after each welcome
    expect(await failureOf(transport.pull())).toEqual({ kind: 'network' });
    proxy.server.close();
  });
});

describe('a stream’s request', () => {
  it('is read as it was written, and nothing else is', () => {
    const message = new Uint8Array(streamHeadBytes('l12') + 8).fill(7);
    encodeStreamRequestHead(message, { number: 4_000_000_000, verb: 'push-last', lease: 'l12' });
    const read = decodeStreamRequest(message)!;
    expect(read).toMatchObject({ number: 4_000_000_000, verb: 'push-last', lease: 'l12' });
    expect(read.body).toEqual(new Uint8Array(8).fill(7));
    const spoilt = (at: number, value: number): Uint8Array => message.map((byte, i) => (i === at ? value : byte));
    expect(decodeStreamRequest(message.subarray(0, 7))).toBeNull();
    expect(decodeStreamRequest(spoilt(4, 9))).toBeNull(); // no such verb
    expect(decodeStreamRequest(spoilt(4, 1))).toBeNull(); // a pull of a lease
    expect(decodeStreamRequest(spoilt(6, 200))).toBeNull(); // a lease longer than the message
    expect(decodeStreamRequest(spoilt(8, 0x2f))).toBeNull(); // a lease that is no id
  });
});

/** A proxy that knows HTTP, and no WebSockets. */
async function withoutUpgrades(target: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const body = request.method === 'POST' ? { body: request, duplex: 'half' } : {};
    const { authorization = '' } = request.headers;
    const init = {
      method: request.method,
      headers: { authorization, ...lengthOf(request.headers['content-length']) },
      ...body,
    };
    void fetch(target + request.url, init as unknown as RequestInit).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const lengthOf = (length: string | undefined): Record<string, string> =>
  length === undefined ? {} : { 'content-length': length };
