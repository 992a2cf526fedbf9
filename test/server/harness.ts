// A real coordinator on a port of its own, and a worker written from docs/API.md alone: fetch, and byte offsets.

import pino from 'pino';
import { TIMING, type Timing } from '../../server/limits.ts';
import type { RunConfig } from '../../shared/config.ts';
import type { Lease, PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Welcome } from '../../shared/protocol/messages.ts';
import { parseRunFile } from '../../server/host/runfile.ts';
import { startCoordinator, type Started, type StartOptions } from '../../server/host/start.ts';
import { crc32 } from 'node:zlib';

export const ADMIN_TOKEN = 'a-token-of-the-tests';
export const DATA_DIR = process.env['DATA_DIR'] ?? '../shared/data';

/** A run of the embedded digits with a softmax: small parameters, no files. */
export function digitsRun(yaml = ''): RunConfig {
  const own = (key: string): boolean => new RegExp(`^${key}:`, 'm').test(yaml);
  const base: Record<string, string> = {
    id: 'id: digits',
    name: 'name: Digits',
    dataset: 'dataset: digits',
    model: 'model: { name: softmax }',
    method: 'method: { name: asgd, learningRate: 0.01 }',
    // plain workers compute nothing, and would be found out
    defences: 'defences: { clip: null, probation: null, influence: null, score: null, spotChecks: null }',
  };
  const lines = Object.entries(base).filter(([key]) => !own(key));
  return parseRunFile([...lines.map(([, line]) => line), yaml].join('\n'), 'test.yaml');
}

/** A machine that runs all the tests at once is no sign that a coordinator has too much to do. */
export const UNHURRIED: Timing = { ...TIMING, busyMs: Infinity };

export function start(runs: readonly RunConfig[], options: Partial<StartOptions> = {}): Promise<Started> {
  return startCoordinator({
    runs,
    port: 0,
    host: '127.0.0.1',
    dataDir: DATA_DIR,
    adminToken: ADMIN_TOKEN,
    record: null,
    timing: UNHURRIED,
    log: pino({ level: 'silent' }),
    ...options,
  });
}

export interface Params {
  readonly lease: Lease;
  readonly version: number;
  readonly theta: Float32Array;
}

/** A worker by HTTP alone. It computes nothing: the tests say what it pushes. */
export class PlainWorker {
  readonly base: string;
  readonly run: string;
  readonly welcome: Extract<Welcome, { ok: true }>;

  private constructor(base: string, run: string, welcome: Extract<Welcome, { ok: true }>) {
    this.base = base;
    this.run = run;
    this.welcome = welcome;
  }

  static async join(base: string, run = 'digits', token?: string): Promise<PlainWorker> {
    const hello = {
      protocol: 2,
      run,
      name: 'plain',
      device: { backend: 'other', adapter: 'none', fallback: false, tried: [] },
      ...(token && { token }),
    };
    const response = await fetch(`${base}/data/runs/${run}/workers`, { method: 'POST', body: JSON.stringify(hello) });
    const welcome = (await response.json()) as Welcome;
    if (!welcome.ok) throw new Error(welcome.refusal);
    return new PlainWorker(base, run, welcome);
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.welcome.token}`, ...(init.headers as Record<string, string>) };
    return fetch(`${this.base}/data/runs/${this.run}${path}`, { ...init, headers });
  }

  async pull(): Promise<{ reply: PullReply; params: Params | null }> {
    const response = await this.request('/leases', { method: 'POST' });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const { json, params } = unpack(await response.arrayBuffer());
    return { reply: json as PullReply, params };
  }

  async lease(): Promise<Params> {
    const { reply, params } = await this.pull();
    if (!params) throw new Error(`no lease: ${JSON.stringify(reply.next)}`);
    return params;
  }

  /** The bytes of a push; `edit` may spoil them. */
  body(params: Params, gradient: Float32Array, meta: object = {}): Uint8Array<ArrayBuffer> {
    const samples = params.lease.batches.reduce((sum, { count }) => sum + count, 0);
    const text = new TextEncoder().encode(JSON.stringify({ loss: 1, samples, computeMs: 1, ...meta }));
    const frameAt = (8 + text.length + 7) & ~7;
    const bytes = new Uint8Array(frameAt + 32 + 4 * gradient.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, text.length, true);
    view.setUint32(4, 32 + 4 * gradient.length, true);
    bytes.set(text, 8);
    const payload = bytes.subarray(frameAt + 32);
    payload.set(new Uint8Array(gradient.buffer, gradient.byteOffset, gradient.byteLength));
    const { runKey, layoutHash } = this.welcome.run;
    bytes.set(new TextEncoder().encode('MURM'), frameAt);
    view.setUint16(frameAt + 4, 2, true);
    view.setUint8(frameAt + 6, params.lease.work.kind === 'local' ? 3 : 2);
    view.setUint8(frameAt + 7, 1);
    view.setUint32(frameAt + 8, runKey, true);
    view.setUint32(frameAt + 12, params.lease.baseVersion, true);
    view.setUint32(frameAt + 16, gradient.length, true);
    view.setUint32(frameAt + 20, layoutHash, true);
    view.setFloat32(frameAt + 28, 1, true);
    view.setUint32(frameAt + 24, crc32(bytes.subarray(frameAt + 28)), true);
    return bytes;
  }

  send(lease: string, bytes: Uint8Array<ArrayBuffer>, query = ''): Promise<Response> {
    return this.request(`/leases/${lease}${query}`, { method: 'POST', body: bytes });
  }

  async push(
    params: Params,
    gradient: Float32Array,
    meta: object = {},
  ): Promise<{ reply: PushReply; params: Params | null }> {
    return this.answer(await this.send(params.lease.id, this.body(params, gradient, meta)));
  }

  /** What a push was answered with. */
  async answer(response: Response): Promise<{ reply: PushReply; params: Params | null }> {
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const { json, params } = unpack(await response.arrayBuffer());
    return { reply: json as PushReply, params };
  }
}

function unpack(body: ArrayBuffer): { json: unknown; params: Params | null } {
  const view = new DataView(body);
  const jsonBytes = view.getUint32(0, true);
  const frameBytes = view.getUint32(4, true);
  const json = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 8, jsonBytes))) as PullReply;
  if (frameBytes === 0 || json.next.kind !== 'lease') return { json, params: null };
  const frameAt = body.byteLength - frameBytes;
  const theta = new Float32Array(body.slice(frameAt + 32));
  return { json, params: { lease: json.next.lease, version: view.getUint32(frameAt + 12, true), theta } };
}
