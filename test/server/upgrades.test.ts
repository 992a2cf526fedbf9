// What a connection must be to become a WebSocket, on either plane: new, from where it may be, and not one too many.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { NO_LIMITS, type Limits } from '../../server/limits.ts';
import type { Started, StartOptions } from '../../server/host/start.ts';
import { digitsRun, start } from './harness.ts';
import { connect, helloOf, type Control } from './visitor.ts';

const CONTROL = '/socket.io/?EIO=4&transport=websocket';
const STREAM = '/data/runs/digits/stream';
const [HERE, THERE] = ['203.0.113.7', '203.0.113.8'];
const RAW = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

let coordinator: Started;
const open = async (limits: Partial<Limits> = {}, options: Partial<StartOptions> = {}): Promise<void> => {
  coordinator = await start([digitsRun()], { limits: { ...NO_LIMITS, ...limits }, ...options });
};
afterEach(() => coordinator.close());

/** A client as ours are, and the name that its connection has. */
async function client(): Promise<{ control: Control; sid: string }> {
  const control = connect(coordinator.url);
  await new Promise<void>((resolve) => control.once('connect', resolve));
  return { control, sid: control.io.engine.id };
}
const isWelcome = async (control: Control): Promise<boolean> => (await control.emitWithAck('hello', helloOf())).ok;

interface Upgraded {
  /** 101 when it is a WebSocket. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly socket: WebSocket;
}

function upgrade(path: string, headers: Record<string, string> = {}): Promise<Upgraded> {
  const socket = new WebSocket(coordinator.url.replace('http', 'ws') + path, { headers });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('open', () => resolve({ status: 101, headers: {}, socket }));
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve({ status: response.statusCode!, headers: response.headers, socket });
    });
  });
}

interface Exchange {
  readonly response: ServerResponse;
  readonly socket: Socket;
}

/** What the coordinator is asked over plain HTTP, from now on. */
function listen(): { seen: readonly Exchange[]; held: () => number; stop: () => void } {
  const seen: Exchange[] = [];
  const see = (message: unknown): void => void seen.push(message as Exchange);
  subscribe('http.server.request.start', see);
  return {
    seen,
    held: () => seen.filter(({ response, socket }) => !response.writableFinished && !socket.destroyed).length,
    stop: () => void unsubscribe('http.server.request.start', see),
  };
}

/** All that a connection is answered until it is closed. */
async function answerTo(bytes: string): Promise<string> {
  const socket = connectTcp(Number(new URL(coordinator.url).port), '127.0.0.1').on('error', () => undefined);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

describe('a plain request at the control plane’s path', () => {
  it('[N8] [P19] is answered 400 and closed, however many come behind it, whatever connection they name', async () => {
    await open();
    const { control, sid } = await client();
    const requests = listen();
    for (let flood = 1; flood <= 3; flood++) {
      const answer = await answerTo(`GET ${CONTROL}&sid=${sid} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(100));
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(requests.seen.length).toBeGreaterThanOrEqual(flood);
      await expect.poll(requests.held).toBe(0);
    }
    requests.stop();
    await expect.poll(() => coordinator.guard.connections).toBe(1);
    expect(await isWelcome(control)).toBe(true);
    control.disconnect();
  });

  it('[N8] [I11] is nothing but bytes to a browser, whatever it would do', async () => {
    await open();
    for (const path of ['/socket.io/', CONTROL, '/socket.io/?EIO=4&transport=polling'])
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const { status, headers } = await fetch(coordinator.url + path, { method });
        expect([path, method, status]).toEqual([path, method, 400]);
        expect(Object.fromEntries(headers)).toMatchObject({ ...RAW, connection: 'close' });
      }
  });
});

describe('an upgrade', () => {
  it('[N8] [I11] that names a connection which is there is refused, and so is whatever else is no new one', async () => {
    await open();
    const { control, sid } = await client();
    const others = ['/socket.io/', '/socket.io/?EIO=4&transport=polling', '/socket.io/?EIO=3&transport=websocket'];
    for (const path of [`${CONTROL}&sid=${sid}`, `${CONTROL}&sid=${sid}&sid=`, `${CONTROL}&sid=none`, ...others])
      expect(await upgrade(path), path).toMatchObject({ status: 400, headers: RAW });
    expect(await isWelcome(control)).toBe(true);
    control.disconnect();
  });

  it('[W9] [I11] that is no handshake of a WebSocket is refused', async () => {
    await open();
    for (const path of [CONTROL, STREAM]) {
      const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', '', ''];
      expect(await answerTo(lines.join('\r\n'))).toMatch(/^HTTP\/1\.1 400 [^]*\r\nx-content-type-options: nosniff\r\n/);
    }
  });

  it('[I8] [P25] [I11] from another site’s page or to another name is refused, whatever connection it names', async () => {
    await open();
    const { control, sid } = await client();
    for (const path of [STREAM, CONTROL, `${CONTROL}&sid=${sid}`]) {
      const foreign = await upgrade(path, { origin: 'https://evil.example' });
      const misdirected = await upgrade(path, { host: 'rebound.evil.example' });
      expect([foreign, misdirected]).toMatchObject([
        { status: 403, headers: RAW },
        { status: 421, headers: RAW },
      ]);
    }
    control.disconnect();
  });

  it('[N1] is counted by its address, also when it is refused then', async () => {
    await open({ rates: { ...NO_LIMITS.rates, upgrade: { points: 2, seconds: 60 } } });
    const { control, sid } = await client();
    expect((await upgrade(`${CONTROL}&sid=${sid}`)).status).toBe(400);
    for (const path of [`${CONTROL}&sid=${sid}`, CONTROL, STREAM]) {
      const { status, headers } = await upgrade(path);
      expect([status, Number(headers['retry-after']) > 30]).toEqual([429, true]);
    }
    control.disconnect();
  });
});

describe('WebSockets behind a proxy', () => {
  const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': `1.1.1.1, ${address}` });

  it('[N3] [N2] of one address have a bound on both planes together, and room again when one closes', async () => {
    await open({ connectionsPerAddress: 2 }, { trustProxy: true });
    const held = [await upgrade(CONTROL, from(HERE)), await upgrade(STREAM, from(HERE))];
    expect(held.map(({ status }) => status)).toEqual([101, 101]);
    for (const path of [CONTROL, STREAM])
      expect(await upgrade(path, from(HERE)), path).toMatchObject({ status: 429, headers: RAW });
    expect(coordinator.guard.heldBack.connections).toBe(2);
    for (const path of [CONTROL, STREAM]) expect((await upgrade(path, from(THERE))).status).toBe(101);
    for (const { socket } of held) {
      await expect.poll(() => coordinator.guard.connections).toBe(4); // those that were refused have gone
      socket.terminate();
      await expect.poll(() => coordinator.guard.connections).toBe(3);
      expect((await upgrade(CONTROL, from(HERE))).status).toBe(101);
      expect((await upgrade(STREAM, from(HERE))).status).toBe(429);
    }
  });

  it('[N3] that were refused for another reason are not counted any more', async () => {
    await open({ connectionsPerAddress: 1 }, { trustProxy: true });
    for (const path of ['/elsewhere', `${CONTROL}&sid=none`]) {
      expect((await upgrade(path, from(HERE))).status).toBeGreaterThanOrEqual(400);
      await expect.poll(() => coordinator.guard.connections).toBe(0);
    }
    expect((await upgrade(STREAM, from(HERE))).status).toBe(101);
  });
});
