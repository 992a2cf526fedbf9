// The data plane: pulls, pushes and shards over plain HTTP, on Node's own server, as every microsecond here is paid on
// every step of every worker. Validates, decodes, limits; decides nothing. Documented in docs/API.md.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import { asLeaseId, asRunId, type RunId } from '../../../shared/ids.ts';
import { decodeEnvelope, encodeEnvelopeHead, PUSH_JSON_BYTES_MAX } from '../../../shared/protocol/envelope.ts';
import { decodeFrame, encodeFrame, frameBytes, type CodecName } from '../../../shared/protocol/frame.ts';
import type { PullReply, PushReply } from '../../../shared/protocol/lease.ts';
import { pushSchema, type PushMeta, type RunManifest } from '../../../shared/protocol/messages.ts';
import type { FrameError } from '../../../shared/protocol/reasons.ts';
import type { Vec } from '../../../shared/vec.ts';
import type { Sent } from '../../core/sent.ts';
import type { Door, Identity } from '../../door.ts';
import { readBody } from './body.ts';

/** A hello is a few hundred bytes. */
const HELLO_BYTES_MAX = 16 * 1024;
const ROUTE = /^\/data\/(?:runs\/([\w.-]{1,64})\/(workers|leases)(?:\/([\w.-]{1,64}))?|blobs\/([0-9a-f]{64}))$/;

export interface DataPlaneOptions {
  readonly door: Door;
  /** How a run's parameters are packed for its workers. */
  readonly paramsCodec: (run: RunId) => CodecName;
}

export type DataPlane = (request: IncomingMessage, response: ServerResponse) => void;

/** A handler for every path that begins with /data/. */
export function dataPlane(options: DataPlaneOptions): DataPlane {
  const plane = new Plane(options);
  return (request, response) => {
    plane.handle(request, response).catch((error: unknown) => {
      response.destroy();
      throw error; // ours: the process stops, and starts again from what is durable
    });
  };
}

class Plane {
  readonly #door: Door;
  readonly #paramsCodec: DataPlaneOptions['paramsCodec'];
  /** Where pushes are unpacked: one vector a run, as an event is handled whole before the next is read. */
  readonly #scratch = new Map<RunId, Vec>();
  /** Packed once for all workers that are sent the same vector. */
  readonly #frames = new WeakMap<Sent, Uint8Array>();

  constructor({ door, paramsCodec }: DataPlaneOptions) {
    this.#door = door;
    this.#paramsCodec = paramsCodec;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://coordinator');
    const [, run, kind, lease, blob] = ROUTE.exec(url.pathname) ?? [];
    const route = `${request.method} ${kind ?? (blob ? 'blob' : '')}${lease ? '/one' : ''}`;
    if (blob !== undefined && request.method === 'GET') return this.#blob(blob, response);
    if (run === undefined || !this.#door.has(asRunId(run)))
      return fail(response, 404, 'there is no such run or address');
    if (route === 'POST workers') return this.#hello(asRunId(run), request, response);
    const identity = this.#identify(request, asRunId(run));
    if (!identity) return fail(response, 401, 'expected Authorization: Bearer and the token of a welcome to this run');
    switch (route) {
      case 'POST leases':
        return this.#pull(identity, request, response);
      case 'POST leases/one':
        return this.#push(identity, {
          request,
          response,
          lease: lease!,
          wantsNext: url.searchParams.get('next') !== '0',
        });
      case 'DELETE leases/one':
        this.#door.dispatch({
          type: 'release',
          run: identity.run,
          worker: identity.worker,
          leases: [asLeaseId(lease!)],
        });
        response.writeHead(204).end();
        return;
      default:
        return fail(response, 405, `${request.method} is not for this address`);
    }
  }

  #identify(request: IncomingMessage, run: RunId): Identity | undefined {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    const identity = scheme === 'Bearer' && token ? this.#door.identity(token) : undefined;
    return identity?.run === run ? identity : undefined;
  }

  async #hello(run: RunId, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, HELLO_BYTES_MAX);
    if (!body.ok) return fail(response, body.status, body.error);
    let hello: unknown;
    try {
      hello = JSON.parse(new TextDecoder().decode(body.bytes));
    } catch {
      return fail(response, 400, 'the body is not JSON');
    }
    const named = typeof hello === 'object' && hello !== null && 'run' in hello ? hello.run : undefined;
    if (named !== run) return fail(response, 400, `the hello names another run than the address`);
    json(response, 200, this.#door.admit(hello, 'http').welcome);
  }

  #pull(identity: Identity, request: IncomingMessage, response: ServerResponse): void {
    const { run, worker } = identity;
    if (!identity.online) return busy(response, 'the control connection is closed: open it again first');
    request.resume();
    const stop = this.#door.ask(
      (id) => ({ type: 'pull', run, worker, request: id }),
      (reply, sent) => this.#answer(identity, response, { reply, sent, bytesIn: 0 }),
    );
    response.once('close', stop);
  }

  async #push(
    identity: Identity,
    push: { request: IncomingMessage; response: ServerResponse; lease: string; wantsNext: boolean },
  ): Promise<void> {
    const { run, worker } = identity;
    const { response } = push;
    const manifest = this.#door.manifest(run);
    const body = await readBody(push.request, manifest.pushBytesMax);
    if (!body.ok) return fail(response, body.status, body.error);
    const lease = asLeaseId(push.lease);
    const read = this.#read(body.bytes, manifest, this.#door.baseVersion(run, worker, lease));
    if (!read.ok) {
      this.#door.dispatch({ type: 'unreadable', run, worker, error: read.error });
      return fail(response, 400, `the body is not a push of this lease: ${read.error}`, read.error);
    }
    const { loss, samples } = read.meta;
    const wantsNext = push.wantsNext && identity.online;
    this.#door.ask(
      (request) => ({ type: 'push', run, worker, request, lease, vector: read.vector, loss, samples, wantsNext }),
      (reply, sent) => this.#answer(identity, response, { reply, sent, bytesIn: body.bytes.byteLength }),
    );
  }

  /** The numbers of a push; the vector is the run's scratch, good until the next push is read. */
  #read(
    bytes: Uint8Array,
    manifest: RunManifest,
    baseVersion: number | null,
  ): { ok: true; meta: PushMeta; vector: Vec } | { ok: false; error: FrameError } {
    const envelope = decodeEnvelope(bytes, PUSH_JSON_BYTES_MAX);
    if (!envelope.ok) return envelope;
    const meta = pushSchema.safeParse(envelope.json);
    if (!meta.success) return { ok: false, error: 'malformed-json' };
    if (!envelope.frame) return { ok: false, error: 'truncated' };
    const id = asRunId(manifest.id);
    const vector = this.#scratch.get(id) ?? new Float32Array(manifest.parameters);
    this.#scratch.set(id, vector);
    const { runKey, layoutHash, pushCodec: codec, parameters: length } = manifest;
    const expected = {
      kind: 'gradient',
      codec,
      runKey,
      layoutHash,
      length,
      ...(baseVersion !== null && { baseVersion }),
    } as const;
    const frame = decodeFrame(vector, envelope.frame, expected, crc32);
    return frame.ok ? { ok: true, meta: meta.data, vector } : frame;
  }

  #answer(
    { run, worker }: Identity,
    response: ServerResponse,
    { reply, sent, bytesIn }: { reply: PullReply | PushReply; sent: Sent | null; bytesIn: number },
  ): void {
    if (response.destroyed) return;
    const frame = sent ? this.#pack(run, sent) : null;
    const head = encodeEnvelopeHead(reply, frame?.byteLength ?? 0);
    const bytesOut = head.byteLength + (frame?.byteLength ?? 0);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytesOut,
      'cache-control': 'no-store',
    });
    if (frame) response.write(head);
    response.end(frame ?? head);
    this.#door.dispatch({ type: 'traffic', run, worker, bytesIn, bytesOut });
  }

  #pack(run: RunId, sent: Sent): Uint8Array {
    const known = this.#frames.get(sent);
    if (known) return known;
    const { runKey, layoutHash, parameters: length } = this.#door.manifest(run);
    const codec = this.#paramsCodec(run);
    const frame = Buffer.allocUnsafeSlow(frameBytes(length, codec));
    encodeFrame(frame, { kind: 'params', codec, runKey, layoutHash, length, baseVersion: sent.version }, sent.vector, {
      crc32,
      packed: sent.packed,
    });
    this.#frames.set(sent, frame);
    return frame;
  }

  #blob(sha256: string, response: ServerResponse): void {
    const bytes = this.#door.blob(sha256);
    if (!bytes) return fail(response, 404, 'there is no such shard');
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.byteLength,
      'cache-control': 'public, max-age=31536000, immutable',
    });
    response.end(bytes);
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** An error, in words. A request whose body was not read is closed with its answer. */
function fail(response: ServerResponse, status: number, error: string, reason?: FrameError): void {
  if (!response.req.complete) response.setHeader('connection', 'close');
  json(response, status, reason ? { error, reason } : { error });
}

function busy(response: ServerResponse, error: string): void {
  response.setHeader('retry-after', '1');
  fail(response, 503, error);
}
