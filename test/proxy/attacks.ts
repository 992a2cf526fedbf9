// What a hostile remote sends: pushes, stream messages and packets with something wrong in them, drawn from a seed; and
// connections that are only there to be held. All from an address of its own.

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import {
  STREAM_VERBS,
  encodeStreamRequestHead,
  streamHeadBytes,
  type StreamVerb,
} from '../../shared/protocol/stream.ts';
import type { Rng } from '../../shared/rng.ts';

export interface Target {
  readonly url: string;
  /** Of a worker that the coordinator knows, with a lease and the right bytes for it. */
  readonly token: string;
  readonly lease: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

export const HOSTILE_ADDRESS = '127.0.0.66';
const WORDS = ['', '0', 'null', '[]', '{}', '"x"', '1e999', '{"__proto__":{"a":1}}', '[[[[[[', '\u0000', '💣', '-1'];

const pick = <T>(from: readonly T[], random: Rng): T => from[random.below(from.length)]!;
const bytesOf = (count: number, random: Rng): Buffer =>
  Buffer.from(Array.from({ length: count }, () => random.below(256)));

/** The right bytes with something wrong: bits turned, cut, lengthened, a length that lies, or nothing but noise. */
export function spoiled(bytes: Uint8Array, random: Rng): Buffer {
  const copy = Buffer.from(bytes);
  switch (random.below(6)) {
    case 0:
      for (let i = 0; i <= random.below(8); i++) copy[random.below(copy.length)]! ^= 1 << random.below(8);
      return copy;
    case 1:
      return copy.subarray(0, random.below(copy.length));
    case 2:
      return Buffer.concat([copy, bytesOf(random.below(64), random)]);
    case 3:
      copy.writeUInt32LE(random.below(2 ** 31) * 2, 4 * random.below(2));
      return copy;
    case 4:
      copy.fill(random.below(256), Math.min(8, copy.length), Math.min(copy.length, 8 + random.below(200)));
      return copy;
    default:
      return bytesOf(random.below(300), random);
  }
}

/** A socket.io packet that is none, or is none of ours. */
export function spoiledPacket(random: Rng): string {
  const event = pick(['status', 'hello', 'release', 'watch', 'challenge', '__proto__', 'x'], random);
  const value = random.below(4) === 0 ? JSON.stringify({ state: pick(WORDS, random) }) : pick(WORDS, random);
  const head = pick(
    ['42', '42', '42', '421', '43', '451-', '4511-', '45', '40', '41', '4', '9', '2', '40/watch,'],
    random,
  );
  return `${head}["${event}",${value}${pick([']', ']', ',', '}'], random)}`;
}

/** So many broken pushes over HTTP, by a few connections. Resolves with how often each status came. */
export async function fuzzHttp(target: Target, count: number, random: Rng): Promise<Record<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, localAddress: HOSTILE_ADDRESS });
  const { port } = new URL(target.url);
  const statuses: Record<number, number> = {};
  const one = (body: Buffer): Promise<void> =>
    new Promise((resolve) => {
      const headers = { authorization: `Bearer ${target.token}`, 'content-length': body.length };
      const path = `/data/runs/digits/leases/${random.below(3) === 0 ? 'nonsense' : target.lease}`;
      const asked = request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers }, (answer) => {
        statuses[answer.statusCode!] = (statuses[answer.statusCode!] ?? 0) + 1;
        answer.resume().once('close', () => resolve());
      });
      asked.once('error', () => resolve());
      asked.end(body);
    });
  for (let sent = 0; sent < count; sent += 8)
    await Promise.all(Array.from({ length: 8 }, () => one(spoiled(target.body, random))));
  agent.destroy();
  return statuses;
}

async function opened(url: string, path: string): Promise<WebSocket | null> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { localAddress: HOSTILE_ADDRESS });
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'open').catch(() => undefined), once(socket, 'close').catch(() => undefined)]);
  return socket.readyState === WebSocket.OPEN ? socket : null;
}

const PER_CONNECTION = 25;
const closing = (socket: WebSocket): Promise<void> => {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  socket.terminate();
  return new Promise((resolve) => socket.once('close', () => resolve()));
};

/** So many broken messages over streams, a new one whenever one was closed. */
export async function fuzzStream(target: Target, count: number, random: Rng): Promise<void> {
  for (let sent = 0; sent < count;) {
    const socket = await opened(target.url, '/data/runs/digits/stream');
    if (random.below(10) > 0) socket?.send(target.token);
    for (let i = 0; i < PER_CONNECTION; i++, sent++) {
      const verb = pick(Object.keys(STREAM_VERBS) as StreamVerb[], random);
      const lease = verb === 'pull' ? '' : target.lease;
      const headBytes = streamHeadBytes(lease);
      const message = Buffer.concat([Buffer.alloc(headBytes), spoiled(target.body, random)]);
      encodeStreamRequestHead(message, { number: random.below(2 ** 31), verb, lease });
      socket?.send(random.below(4) === 0 ? spoiled(message, random) : message);
    }
    if (socket) await new Promise((resolve) => socket.ping('', true, resolve));
    if (socket) await closing(socket);
  }
}

/** So many broken packets over control connections. */
export async function fuzzControl(target: Target, count: number, random: Rng): Promise<void> {
  for (let sent = 0; sent < count;) {
    const socket = await opened(target.url, '/socket.io/?EIO=4&transport=websocket');
    socket?.send('40');
    if (socket) await Promise.race([once(socket, 'message'), once(socket, 'close')]).catch(() => undefined);
    for (let i = 0; i < PER_CONNECTION; i++, sent++) socket?.send(spoiledPacket(random));
    if (socket) await new Promise((resolve) => socket.ping('', true, resolve));
    if (socket) await closing(socket);
  }
}

/** One message in so many pieces of a byte. Resolves with the code it was closed with. */
export async function tinyPieces(target: Target, pieces: number): Promise<number> {
  const socket = await opened(target.url, '/data/runs/digits/stream');
  if (!socket) return 0;
  const closed = once(socket, 'close') as Promise<[number]>;
  socket.send(target.token);
  for (let i = 0; i < pieces; i++) socket.send('x', { binary: true, fin: false });
  return (await closed)[0];
}

/** Connections whose headers never end. `stop` lets go of them. */
export function slowloris(url: string, count: number): { open: () => number; stop: () => void } {
  const { port } = new URL(url);
  const sockets: Socket[] = Array.from({ length: count }, () => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: HOSTILE_ADDRESS });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    return socket.resume();
  });
  const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('X-a: b\r\n')), 1000);
  return {
    open: () => sockets.filter(({ destroyed }) => !destroyed).length,
    stop: () => {
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    },
  };
}
