// Workers that do nothing but push, in a process of their own: one gradient, packed once, whose header alone is written anew
// for every lease, so that hardly more than TLS is asked of this side.

import { crc32 } from 'node:zlib';
import { WebSocket } from 'ws';
import { fetchTrusting, trusting } from '../../client/headless/authority.ts';
import { decodeEnvelope, encodeEnvelopeHead } from '../../shared/protocol/envelope.ts';
import { encodeFrame, frameBytes, type FrameHeader } from '../../shared/protocol/frame.ts';
import type { PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import { decodeStreamAnswer, encodeStreamRequestHead, streamHeadBytes, type StreamVerb } from '../../shared/protocol/stream.ts'; // prettier-ignore
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { rng } from '../../shared/rng.ts';

export interface PusherSetup {
  readonly url: string;
  readonly ca: string | null;
  readonly run: string;
  readonly workers: number;
}

/** Since the beginning. */
export interface Count {
  readonly applied: number;
  readonly refused: number;
  readonly parameters: number;
  readonly cpuSeconds: number;
}

const JSON_BYTES_MAX = 65_536;
const setup = JSON.parse(process.argv[2]!) as PusherSetup;
let [applied, refused, parameters] = [0, 0, 0];
const count = (): Count => {
  const { user, system } = process.cpuUsage();
  return { applied, refused, parameters, cpuSeconds: (user + system) / 1e6 };
};
const fail = (why: string): never => {
  console.error(why);
  process.exit(1);
};

async function welcomed(number: number): Promise<Extract<Welcome, { ok: true }>> {
  const hello: Hello = {
    ...{ protocol: PROTOCOL_VERSION, run: setup.run, name: `bench-${number}` },
    device: { backend: 'other', adapter: 'none', fallback: false, tried: [] },
  };
  const init = { method: 'POST', body: JSON.stringify(hello) };
  const response = await fetchTrusting(setup.ca)(`${setup.url}/data/runs/${setup.run}/workers`, init);
  const welcome = (await response.json()) as Welcome;
  return welcome.ok ? welcome : fail(welcome.refusal);
}

async function worker(number: number): Promise<void> {
  const { run, token } = await welcomed(number);
  parameters = run.parameters;
  const { pushCodec: codec, runKey, layoutHash, parameters: length } = run;
  const random = rng(`bench/capacity/${number}`);
  const gradient = Float32Array.from({ length }, () => 0.001 * random.normal());
  const header: FrameHeader = { kind: 'gradient', codec, runKey, baseVersion: 0, length, layoutHash };
  const frame = new Uint8Array(frameBytes(length, codec));
  encodeFrame(frame, header, gradient, { crc32 });
  const view = new DataView(frame.buffer);
  const path = `${setup.url.replace(/^http/, 'ws')}/data/runs/${setup.run}/stream`;
  const socket = new WebSocket(path, { perMessageDeflate: false, ...trusting(setup.ca) });
  let requests = 0;
  const ask = (verb: StreamVerb, lease: string, body: readonly Uint8Array[]): void => {
    const head = new Uint8Array(streamHeadBytes(lease));
    encodeStreamRequestHead(head, { number: ++requests, verb, lease });
    socket.send(Buffer.concat([head, ...body]));
  };
  socket.on('error', (error) => fail(error.message));
  socket.on('close', (code) => fail(`the coordinator closed a stream: ${code}`));
  socket.on('open', () => {
    socket.send(token);
    ask('pull', '', []);
  });
  socket.on('message', (data: Buffer) => {
    const { status, body } = decodeStreamAnswer(data);
    const envelope = status === 200 ? decodeEnvelope(body, JSON_BYTES_MAX) : null;
    if (!envelope?.ok) return void fail(`an exchange was answered with ${status}`);
    const reply = envelope.json as PullReply & Partial<PushReply>;
    if (reply.outcome === 'applied') applied += 1;
    else if (reply.outcome !== undefined) refused += 1;
    if (reply.next.kind !== 'lease') return ask('pull', '', []);
    const { id, baseVersion, batches } = reply.next.lease;
    view.setUint32(12, baseVersion, true);
    const samples = batches.reduce((sum, batch) => sum + batch.count, 0);
    ask('push', id, [encodeEnvelopeHead({ loss: 1, samples, computeMs: 1 }, frame.byteLength), frame]);
  });
}

process.on('message', () => process.send!(count()));
process.on('disconnect', () => process.exit(0));
for (let number = 0; number < setup.workers; number++) await worker(number);
process.send!(count());
