// Other sites' pages, other names for this machine, and what an answer gives away; and what is written down of the operator.

import { once } from 'node:events';
import { request } from 'node:http';
import pino from 'pino';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Started } from '../../server/host/start.ts';
import { Origins } from '../../server/origins.ts';
import { ADMIN_TOKEN, digitsRun, PlainWorker, start } from './harness.ts';
import { helloOf, welcomed } from './visitor.ts';

const PROXY = 'https://train.example.org';
const FOREIGN = 'https://evil.example';
const right = { authorization: `Bearer ${ADMIN_TOKEN}` };

let coordinator: Started;
let url: string;
const told: string[] = [];
const log = pino({ level: 'info' }, { write: (line) => void told.push((JSON.parse(line) as { msg: string }).msg) });
beforeAll(async () => {
  coordinator = await start([digitsRun()], { origins: [PROXY], log });
  ({ url } = coordinator);
});
afterAll(() => coordinator.close());

interface Answer {
  readonly status: number;
  readonly body: string;
}
/** With a Host header of our choice, which fetch does not allow. */
function ask(method: string, path: string, headers: Record<string, string>, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, headers: { 'content-length': Buffer.byteLength(body), ...headers } });
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
const post = (path: string, headers: Record<string, string>, body = ''): Promise<Answer> =>
  ask('POST', path, headers, body);
const sessionCookie = async (): Promise<string> => {
  const answer = await fetch(`${url}/api/admin/session`, { method: 'POST', headers: right });
  return answer.headers.get('set-cookie')!.split(';')[0]!;
};
const opens = (path: string, headers: Record<string, string>): Promise<boolean> => {
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers });
  return new Promise((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).then((open) => {
    socket.terminate();
    return open as boolean;
  });
};
const connects = async (namespace: string, extraHeaders: Record<string, string>): Promise<boolean> => {
  const socket = io(url + namespace, { transports: ['websocket'], forceNew: true, reconnection: false, extraHeaders });
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('connect_error', () => resolve(false));
  });
  socket.disconnect();
  return connected;
};

describe('a page of another site', () => {
  it('[I8] [P25] changes nothing, whatever it knows', async () => {
    const cookie = await sessionCookie();
    const hello = JSON.stringify(helloOf());
    for (const origin of [FOREIGN, 'null', url.replace('127.0.0.1', 'localhost'), `${url}.evil.example`]) {
      expect((await post('/api/runs/digits/pause', { cookie, origin })).status, origin).toBe(403);
      expect((await post('/api/runs/digits/pause', { ...right, origin })).status, origin).toBe(403);
      expect((await ask('DELETE', '/api/admin/session', { cookie, origin })).status, origin).toBe(403);
      expect((await post('/data/runs/digits/workers', { origin }, hello)).status, origin).toBe(403);
    }
    expect((await fetch(`${url}/api/admin`, { headers: { cookie } })).status).toBe(200);
    expect(coordinator.loop.summaries()[0]!.status).toBe('running');
  });

  it('[I8] [P25] opens no WebSocket', async () => {
    for (const origin of [FOREIGN, 'null']) {
      expect(await opens('/data/runs/digits/stream', { origin })).toBe(false);
      expect(await connects('', { origin })).toBe(false);
      expect(await connects('/watch', { origin })).toBe(false);
    }
    for (const origin of [url, PROXY]) {
      expect(await opens('/data/runs/digits/stream', { origin })).toBe(true);
      expect(await connects('', { origin })).toBe(true);
      expect(await connects('/watch', { origin })).toBe(true);
    }
  });

  it('[I8] a session is of no use to what does not say where it comes from; the token is', async () => {
    const cookie = await sessionCookie();
    expect((await post('/api/runs/digits/pause', { cookie })).status).toBe(403);
    expect((await post('/api/runs/digits/pause', right)).status).toBe(200);
    expect((await post('/api/runs/digits/resume', { cookie, origin: PROXY })).status).toBe(200);
  });
});

describe('another name for this machine', () => {
  it('[I8] that anybody could have made is not answered to', async () => {
    const paths = [
      '/',
      '/api/runs',
      '/api/runs/digits/model.safetensors',
      '/data/challenge',
      '/metrics',
      '/socket.io/',
    ];
    for (const path of paths) {
      const { status, body } = await ask('GET', path, { host: 'rebound.evil.example:3000' });
      expect([path, status]).toEqual([path, 421]);
      expect(body).toContain('start it with --origin');
    }
    expect(await opens('/data/runs/digits/stream', { host: 'rebound.evil.example' })).toBe(false);
    expect(await connects('', { host: 'rebound.evil.example' })).toBe(false);
  });

  it.each([
    ['localhost:3000', true],
    ['lab.localhost', true],
    ['192.168.1.4:3000', true],
    ['[::1]:3000', true],
    ['[fe80::1]', true],
    ['coordinator', true],
    ['Coordinator:80', true],
    ['train.example.org', true],
    ['TRAIN.example.org:443', true],
    ['machine.local', true],
    ['other.local', false],
    ['example.org', false],
    ['train.example.org.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['evil.example@localhost', false],
    ['', false],
    ['a b', false],
  ])('[I8] %j is one of ours: %s', (host, ours) => {
    const origins = new Origins([PROXY], 'Machine');
    expect(origins.misdirected({ host }) === null).toBe(ours);
  });

  it('[I8] the page’s own address is the request’s, with or without the usual port', () => {
    const origins = new Origins([], 'machine');
    const foreign = (origin: string, host: string): boolean => origins.foreign({ origin, host }) !== null;
    expect(foreign('http://localhost:3000', 'localhost:3000')).toBe(false);
    expect(foreign('https://machine', 'machine:443')).toBe(false);
    expect(foreign('https://machine:443', 'machine')).toBe(false);
    expect(foreign('http://machine', 'machine:443')).toBe(true);
    expect(foreign('ftp://machine', 'machine')).toBe(true);
    expect(foreign('file://', '')).toBe(true);
  });
});

describe('an answer', () => {
  it('[I10] [P25] has no stack trace and no path of this machine, whatever went wrong', async () => {
    const worker = await PlainWorker.join(url);
    const { lease } = await worker.lease();
    const bearer = { authorization: `Bearer ${worker.welcome.token}` };
    const provocations: (readonly [string, string, Record<string, string>, string?])[] = [
      ['GET', '/api/%ff', {}],
      ['GET', '/api/runs/%E0%A4%A', {}],
      ['GET', '/api/runs/__proto__/workers', {}],
      ['GET', '/api/runs/digits/metrics?since=%00', {}],
      ['GET', '/api/runs/digits/events?limit=-1', {}],
      ['GET', '/api/runs/digits/events?kind[]=x', {}],
      ['GET', '/api/runs/digits/history?points=x', {}],
      ['GET', '/..%2f..%2fetc/passwd', {}],
      ['GET', '/%', {}],
      ['GET', '/assets/%2e%2e/%2e%2e/package.json', {}],
      ['POST', '/api/runs/digits/method', right, '{'],
      ['POST', '/api/runs/digits/method', right, '{"__proto__":{"name":1}}'],
      ['POST', '/api/runs/digits/method', right, 'x'.repeat(20_000)],
      ['POST', '/api/runs/digits/method', { ...right, 'content-type': 'application/json; charset=nonsense' }, '{}'],
      ['POST', '/api/runs/digits/method', { ...right, 'content-encoding': 'gzip' }, 'not gzip'],
      ['POST', '/api/runs/digits/workers/w/ban', { ...right, 'content-encoding': 'br' }, '{}'],
      ['POST', '/api/runs/digits/workers/%ff/ban', right, '{}'],
      ['POST', '/data/runs/digits/workers', {}, '{'],
      ['POST', '/data/runs/digits/workers', {}, '[]'],
      ['POST', `/data/runs/digits/leases/${lease.id}`, bearer, 'not an envelope'],
      ['PATCH', '/data/runs/digits/leases', bearer],
      ['GET', '/data/runs/%ff/leases', bearer],
      ['GET', '/data/blobs/xyz', {}],
      ['GET', '//evil/%', {}],
    ];
    for (const [method, path, headers, body] of provocations) {
      const answer = await ask(method, path, headers, body);
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(answer.status, `${path}: ${answer.body}`).toBeLessThan(500);
      expect(answer.body, path).not.toMatch(/\bat .*:\d+|node_modules|\.ts\b|\.js\b|file:\/\/|\/work\/|Error:/);
    }
  });

  it('[I10] of a socket has none either', async () => {
    const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
    await once(socket as unknown as NodeJS.EventEmitter, 'connect');
    for (const hello of [null, 'x', { run: {} }, { ...helloOf(), token: 7 }, { ...helloOf(), proof: {} }]) {
      const answer: unknown = await socket.emitWithAck('hello', hello);
      expect(answer).toMatchObject({ ok: false, refusal: 'malformed-hello' });
      expect(JSON.stringify(answer)).not.toMatch(/\bat .*:\d+|node_modules/);
    }
    socket.disconnect();
  });
});

describe('what is written down', () => {
  it('[I9] of the operator: each action and each wrong token, with the address', async () => {
    const { worker } = await welcomed(url);
    await post('/api/runs/digits/pause', right);
    await post('/api/runs/digits/resume', right);
    await post(`/api/runs/digits/workers/${worker}/ban`, right, '{"reason":"noise"}');
    await post('/api/runs/digits/method', right, '{"name":"asgd","learningRate":0.02}');
    await post('/api/runs/digits/stop', { authorization: 'Bearer a-guess' });
    const cookie = await sessionCookie();
    for (let time = 0; time < 2; time++) await ask('DELETE', '/api/admin/session', { cookie, origin: url });
    expect(told).toEqual(
      expect.arrayContaining([
        'pause, from 127.0.0.1',
        'resume, from 127.0.0.1',
        `banned ${worker} (noise), from 127.0.0.1`,
        'changed the method to asgd, from 127.0.0.1',
        'a wrong operator’s token, from 127.0.0.1',
      ]),
    );
    expect(told.filter((text) => text === 'signed out, from 127.0.0.1')).toHaveLength(1); // who was signed in
    expect(told.join()).not.toContain('a-guess');
  });
});
