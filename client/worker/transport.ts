// The data plane for a browser's worker and for Node: envelopes out and in, each with at most one frame, over a stream
// where there is one, and over fetch. It decides nothing: what to ask, when to ask again and what a refusal means is the
// volunteer machine's.

import { decodeShard } from '../../shared/data/shard.ts';
import type { Samples, ShardRef } from '../../shared/data/spec.ts';
import { crc32 as portableCrc32, type Crc32 } from '../../shared/protocol/crc32.ts';
import { decodeEnvelope, encodeEnvelopeHead, PUSH_JSON_BYTES_MAX } from '../../shared/protocol/envelope.ts';
import { decodeFrame, encodeFrame, frameBytes } from '../../shared/protocol/frame.ts';
import { pushKindOf, type Lease, type Next, type PullReply, type PushReply } from '../../shared/protocol/lease.ts';
import type { PushMeta, RunManifest, Welcome } from '../../shared/protocol/messages.ts';
import { streamHeadBytes, type StreamVerb } from '../../shared/protocol/stream.ts';
import { sha256Hex } from '../../shared/sha256.ts';
import type { Vec } from '../../shared/vec.ts';
import { RequestError, type Answer, type Transport } from './ports.ts';
import { Requests } from './requests.ts';
import { ShardCache } from './shard-cache.ts';
import { Stream, type OpenSocket } from './stream.ts';

/** JSON of a reply: a lease of many batches has some kilobytes. */
const REPLY_JSON_BYTES_MAX = 65_536;
/** Vectors kept to be used again: more than a worker ever has leases in hand would only be a leak. */
const SPARE_VECTORS_MAX = 8;
/** The coordinator holds a pull open for 10 s; a slow line needs the rest for megabytes of parameters. */
const EXCHANGE_MS_MAX = 45_000;
const RELEASE_MS_MAX = 5_000;
const SHARD_MS_MAX = 120_000;

export interface TransportOptions {
  /** The coordinator's address, without a slash at its end. */
  readonly url: string;
  readonly cache?: ShardCache;
  /** The host's own, where it has a faster one. */
  readonly crc32?: Crc32;
  /** Opens a WebSocket: pulls and pushes then go over it, and over fetch only where it does not open. */
  readonly openSocket?: OpenSocket;
}

interface Admission {
  readonly run: RunManifest;
  readonly token: string;
}

export class HttpTransport implements Transport {
  readonly #url: string;
  readonly #cache: ShardCache;
  readonly #crc32: Crc32;
  readonly #requests = new Requests();
  readonly #stream: Stream | null;
  #admission: Admission | null = null;
  #spare: Vec[] = [];
  /** Of the last push, written over by the next: fetch and WebSockets copy a body before they return. */
  #body = new Uint8Array(0);

  constructor({ url, cache = new ShardCache(), crc32 = portableCrc32, openSocket }: TransportOptions) {
    this.#url = url;
    this.#crc32 = crc32;
    this.#cache = cache;
    this.#stream = openSocket ? new Stream(openSocket) : null;
  }

  admit({ run, token }: Extract<Welcome, { ok: true }>): void {
    if (run.parameters !== this.#admission?.run.parameters) this.#spare = [];
    this.#admission = { run, token };
    this.#stream?.welcomed();
  }

  async pull(): Promise<Answer<PullReply>> {
    const bytes = this.#stream?.usable
      ? await this.#streamed('pull', '', this.#room(streamHeadBytes('')))
      : await this.#fetched('', {}, { waits: true });
    return this.#answer<PullReply>(bytes);
  }

  async push(
    lease: Lease,
    { vector, next, ...meta }: PushMeta & { readonly vector: Vec; readonly next: boolean },
  ): Promise<Answer<PushReply>> {
    const { id } = lease;
    const headBytes = streamHeadBytes(id);
    const message = this.#encode(lease, { meta, vector, headBytes });
    const query = next ? '' : '?next=0';
    const bytes = this.#stream?.usable
      ? await this.#streamed(next ? 'push' : 'push-last', id, message)
      : await this.#fetched(
          `/${encodeURIComponent(id)}${query}`,
          { body: message.subarray(headBytes) },
          { waits: false },
        );
    return this.#answer<PushReply>(bytes);
  }

  async release(lease: string): Promise<void> {
    const { url, headers } = this.#leases();
    const init = { method: 'DELETE', headers, keepalive: true };
    await this.#requests.bytes(`${url}/${encodeURIComponent(lease)}`, init, { limitMs: RELEASE_MS_MAX });
  }

  shard(ref: ShardRef): Promise<Samples> {
    return this.#cache.get(ref.sha256, async () => {
      const bytes = (await this.#blob(ref, 'default')) ?? (await this.#blob(ref, 'reload'));
      if (bytes === null) throw unreadable(`a shard's bytes are not those of its address ${ref.sha256}`);
      try {
        return decodeShard(bytes);
      } catch (error) {
        throw unreadable(error instanceof Error ? error.message : String(error));
      }
    });
  }

  recycle(params: Vec): void {
    const wanted = params.length === this.#admission?.run.parameters && this.#spare.length < SPARE_VECTORS_MAX;
    if (wanted) this.#spare.push(params);
  }

  close(): void {
    this.#requests.close();
    this.#stream?.close();
  }

  #leases(): { url: string; headers: Record<string, string> } {
    const { run, token } = this.#admitted();
    return {
      url: `${this.#url}/data/runs/${encodeURIComponent(run.id)}/leases`,
      headers: { Authorization: `Bearer ${token}` },
    };
  }

  #admitted(): Admission {
    if (this.#admission === null) throw new Error('invariant violation: a request before the welcome');
    return this.#admission;
  }

  #fetched(path: string, init: RequestInit, { waits }: { readonly waits: boolean }): Promise<Uint8Array> {
    const { url, headers } = this.#leases();
    const type = init.body === undefined ? {} : { 'Content-Type': 'application/octet-stream' };
    const request = { ...init, method: 'POST', headers: { ...headers, ...type }, cache: 'no-store' } as const;
    return this.#requests.bytes(`${url}${path}`, request, { limitMs: EXCHANGE_MS_MAX, waits });
  }

  #streamed(verb: StreamVerb, lease: string, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const { run, token } = this.#admitted();
    const url = `${this.#url.replace(/^http/, 'ws')}/data/runs/${encodeURIComponent(run.id)}/stream`;
    const waits = verb === 'pull';
    return this.#stream!.request({ url, token }, { verb, lease, message, limitMs: EXCHANGE_MS_MAX, waits });
  }

  /** An envelope, with room before it for a stream's head. */
  #encode(
    { baseVersion, work }: Lease,
    { meta, vector, headBytes }: { meta: PushMeta; vector: Vec; headBytes: number },
  ): Uint8Array<ArrayBuffer> {
    const { runKey, layoutHash, parameters: length, pushCodec: codec } = this.#admitted().run;
    const size = frameBytes(length, codec);
    const head = encodeEnvelopeHead(meta, size);
    const message = this.#room(headBytes + head.byteLength + size);
    message.set(head, headBytes);
    const header = { kind: pushKindOf(work), codec, runKey, baseVersion, length, layoutHash } as const;
    encodeFrame(message.subarray(headBytes + head.byteLength), header, vector, { crc32: this.#crc32 });
    return message;
  }

  #room(size: number): Uint8Array<ArrayBuffer> {
    if (this.#body.byteLength < size) this.#body = new Uint8Array(size + PUSH_JSON_BYTES_MAX);
    return this.#body.subarray(0, size);
  }

  #answer<Reply extends { readonly next: Next }>(bytes: Uint8Array): Answer<Reply> {
    const envelope = decodeEnvelope(bytes, REPLY_JSON_BYTES_MAX);
    if (!envelope.ok) throw unreadable(`the answer is ${envelope.error}`);
    const reply = envelope.json as Reply; // from the coordinator, which is trusted: see messages.ts
    if (reply.next.kind !== 'lease' || envelope.frame === null) return { reply, params: null };
    const { runKey, layoutHash, parameters: length } = this.#admitted().run;
    const params = this.#spare.pop() ?? new Float32Array(length);
    const { baseVersion } = reply.next.lease;
    const expected = { kind: 'params', runKey, layoutHash, length, baseVersion } as const;
    const frame = decodeFrame(params, envelope.frame, expected, this.#crc32);
    if (frame.ok) return { reply, params };
    this.recycle(params);
    return { reply, params: null };
  }

  /** The bytes at this address; null when others are kept there. */
  async #blob(ref: ShardRef, cache: 'default' | 'reload'): Promise<Uint8Array | null> {
    const options = { limitMs: SHARD_MS_MAX, waits: true };
    const bytes = await this.#requests.bytes(`${this.#url}/data/blobs/${ref.sha256}`, { cache }, options);
    return bytes.byteLength === ref.bytes && (await digest(bytes)) === ref.sha256 ? bytes : null;
  }
}

const unreadable = (reason: string): RequestError => new RequestError({ kind: 'unreadable', reason }, reason);

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Browsers withhold it on insecure origins, whatever its type says.
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;
  if (subtle === undefined) return sha256Hex(bytes);
  const hash = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
