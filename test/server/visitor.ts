// Whoever comes to the door: a device with a key of its own, made with Node's cryptography and no code of ours, and hellos
// over HTTP and socket.io.

import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { ServerToWorker, WorkerToServer } from '../../shared/protocol/events.ts';
import type { Hello, Proof, Welcome } from '../../shared/protocol/messages.ts';

export type Control = Socket<ServerToWorker, WorkerToServer>;
export type Welcomed = Extract<Welcome, { ok: true }>;

export class TestDevice {
  readonly #privateKey: KeyObject;
  readonly point: Buffer;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x, y } = publicKey.export({ format: 'jwk' });
    this.#privateKey = privateKey;
    this.point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
  }

  get id(): string {
    return `w${createHash('sha256').update(this.point).digest('hex').slice(0, 20)}`;
  }

  proof(challenge: string, run = 'digits'): Proof {
    const text = Buffer.from(`murmuration hello\n${run}\n${challenge}`);
    const signature = sign('sha256', text, { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return { key: this.point.toString('base64url'), challenge, signature: signature.toString('base64url') };
  }
}

export const helloOf = (extra: Partial<Hello> = {}): Hello => ({
  protocol: 2,
  run: 'digits',
  name: 'visitor',
  device: { backend: 'other', adapter: 'none', fallback: false, tried: [] },
  ...extra,
});

export const challengeOf = async (url: string): Promise<string> =>
  ((await (await fetch(`${url}/data/challenge`)).json()) as { challenge: string }).challenge;

/** A hello over HTTP. */
export async function say(url: string, extra: Partial<Hello> = {}): Promise<Welcome> {
  const hello = helloOf(extra);
  const body = JSON.stringify(hello);
  return (await fetch(`${url}/data/runs/${hello.run}/workers`, { method: 'POST', body })).json() as Promise<Welcome>;
}

export async function welcomed(url: string, extra: Partial<Hello> = {}): Promise<Welcomed> {
  const welcome = await say(url, extra);
  if (!welcome.ok) throw new Error(welcome.refusal);
  return welcome;
}

/** Why a hello was refused; null when it was welcomed. */
export async function refusalOf(url: string, extra: Partial<Hello> = {}): Promise<string | null> {
  const welcome = await say(url, extra);
  return welcome.ok ? null : welcome.refusal;
}

export async function prove(url: string, device: TestDevice, extra: Partial<Hello> = {}): Promise<Welcome> {
  return say(url, { proof: device.proof(await challengeOf(url), extra.run), ...extra });
}

export const connect = (url: string, extraHeaders: Record<string, string> = {}): Control =>
  io(url, { transports: ['websocket'], forceNew: true, reconnection: false, extraHeaders });

/** A hello with a proof on a control connection. */
export async function proveOn(socket: Control, device: TestDevice, extra: Partial<Hello> = {}): Promise<Welcome> {
  const challenge = await socket.emitWithAck('challenge');
  return socket.emitWithAck('hello', helloOf({ proof: device.proof(challenge, extra.run), ...extra }));
}

/** Of a pull with this token. */
export async function pullStatus(url: string, token: string, run = 'digits'): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${url}/data/runs/${run}/leases`, { method: 'POST', headers })).status;
}
