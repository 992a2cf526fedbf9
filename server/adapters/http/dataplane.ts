// The data plane over plain HTTP, on Node's own server, as every microsecond here is paid on every step of every worker:
// routes, tokens, bodies. What a pull or a push means is plane.ts. Documented in docs/API.md.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { asLeaseId, asRunId, type RunId } from '../../../shared/ids.ts';
import type { Door, Identity } from '../../door.ts';
import type { Guard } from '../../guard.ts';
import { RAW_HEADERS } from '../../refusal.ts';
import { BODIES_RETRY_SECONDS, readBody, type BodyResult } from './body.ts';
import { isGone, whenOver, type Exchange } from './exchange.ts';
import type { AnswerSink, Plane } from './plane.ts';

/** A hello is a few hundred bytes. */
const HELLO_BYTES_MAX = 16 * 1024;
/** Of a request that needs no body. */
const NO_BODY_BYTES_MAX = 1024;
const ROUTE = /^\/data\/(?:runs\/([\w.-]{1,64})\/(workers|leases)(?:\/([\w.-]{1,64}))?|blobs\/([0-9a-f]{64}))$/;

export type DataPlane = (request: IncomingMessage, response: ServerResponse) => void;

/** With a worker that is known. */
interface WorkersExchange extends Exchange {
  readonly identity: Identity;
  readonly address: string;
  readonly sink: AnswerSink;
}

/** A handler for every path that begins with /data/. */
export function dataPlane(door: Door, plane: Plane, guard: Guard): DataPlane {
  const routes = new Routes(door, plane, guard);
  return (request, response) => {
    routes.handle({ request, response }).catch((error: unknown) => {
      response.destroy();
      throw error; // ours: the process stops, and starts again from what is durable
    });
  };
}

class Routes {
  readonly #door: Door;
  readonly #plane: Plane;
  readonly #guard: Guard;
  /** Bodies of pushes under way, oldest first; of each worker at most as many as it may have leases. */
  readonly #bodies = new WeakMap<Identity, Set<IncomingMessage>>();

  constructor(door: Door, plane: Plane, guard: Guard) {
    this.#door = door;
    this.#plane = plane;
    this.#guard = guard;
  }

  async handle(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const url = new URL(request.url ?? '/', 'http://coordinator');
    const [, run, kind, lease, blob] = ROUTE.exec(url.pathname) ?? [];
    if (blob !== undefined && request.method === 'GET') return this.#blob(blob, exchange);
    if (url.pathname === '/data/challenge' && request.method === 'GET') return this.#challenge(exchange);
    if (run === undefined || !this.#door.has(asRunId(run)))
      return fail(response, 404, 'there is no such run or address');
    const route = `${request.method} ${kind}${lease ? '/one' : ''}`;
    if (route === 'POST workers') return this.#hello(asRunId(run), exchange);
    const identity = this.#identify(request, asRunId(run));
    if (!identity) return fail(response, 401, 'expected Authorization: Bearer and the token of a welcome to this run');
    const [address, sink] = [this.#guard.address(request), answerOn(exchange)];
    const seconds = await this.#plane.heldBack(identity, address, sink);
    if (seconds > 0 || sink.gone) return;
    const known = { request, response, identity, address, sink };
    switch (route) {
      case 'POST leases':
        return this.#pull(known);
      case 'POST leases/one':
        return this.#push(known, { lease: lease!, wantsNext: url.searchParams.get('next') !== '0' });
      case 'DELETE workers':
        return this.#goodbye(identity, response);
      case 'DELETE leases/one':
        return this.#release(identity, lease!, response);
      default:
        return fail(response, 405, `${request.method} is not for this address`);
    }
  }

  #identify(request: IncomingMessage, run: RunId): Identity | undefined {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    return scheme === 'Bearer' && token ? this.#door.identity(token, run) : undefined;
  }

  async #challenge({ request, response }: Exchange): Promise<void> {
    const seconds = await this.#guard.seconds('hello', this.#guard.address(request));
    if (seconds > 0) return tooMany(response, 'too many hellos from this address', seconds);
    json(response, 200, { challenge: this.#door.challenge() });
  }

  async #hello(run: RunId, { request, response }: Exchange): Promise<void> {
    const address = this.#guard.address(request);
    const seconds = await this.#guard.seconds('hello', address);
    if (seconds > 0) return tooMany(response, 'too many hellos from this address', seconds);
    const body = await readBody(request, { bytesMax: HELLO_BYTES_MAX, address }, this.#guard);
    if (!body.ok) return refuseBody(response, body);
    let hello: unknown;
    try {
      hello = JSON.parse(new TextDecoder().decode(body.bytes));
    } catch {
      return fail(response, 400, 'the body is not JSON');
    }
    const named = typeof hello === 'object' && hello !== null && 'run' in hello ? hello.run : undefined;
    if (named !== run) return fail(response, 400, 'the hello names another run than the address');
    json(response, 200, this.#door.admit(hello, { via: 'http', address }).welcome);
  }

  #pull(exchange: WorkersExchange): void {
    const { request, response, identity, sink } = exchange;
    if (!(Number(request.headers['content-length'] ?? 0) <= NO_BODY_BYTES_MAX) || request.headers['transfer-encoding'])
      return fail(response, 413, 'a pull has no body');
    request.resume();
    whenOver(exchange, this.#plane.pull(identity, sink));
  }

  async #push(exchange: WorkersExchange, push: { lease: string; wantsNext: boolean }): Promise<void> {
    const { request, response, identity, address, sink } = exchange;
    const { run, worker } = identity;
    const { pushBytesMax: bytesMax, leasesPerWorker } = this.#door.manifest(run);
    const bodies = this.#bodies.get(identity) ?? new Set();
    this.#bodies.set(identity, bodies);
    const [oldest] = bodies;
    // The oldest makes way: a worker that sends again has given up the connection that it sent on before.
    if (oldest && bodies.size >= leasesPerWorker) {
      bodies.delete(oldest);
      oldest.destroy();
    }
    bodies.add(request);
    const keep = this.#door.knowsLease(run, worker, asLeaseId(push.lease));
    const body = await readBody(request, { bytesMax, address, keep }, this.#guard);
    bodies.delete(request);
    if (!body.ok) return refuseBody(response, body);
    whenOver(exchange, this.#plane.push(identity, { ...push, bytes: body.bytes, length: body.length }, sink));
  }

  /** What it still has under way brings no more work, whatever carries it. */
  #goodbye(identity: Identity, response: ServerResponse): void {
    const { run, worker } = identity;
    identity.online = false;
    this.#door.dispatch({ type: 'leave', run, worker });
    response.writeHead(204, RAW_HEADERS).end();
  }

  #release({ run, worker }: Identity, lease: string, response: ServerResponse): void {
    this.#door.dispatch({ type: 'release', run, worker, leases: [asLeaseId(lease)] });
    response.writeHead(204, RAW_HEADERS).end();
  }

  async #blob(sha256: string, { request, response }: Exchange): Promise<void> {
    const seconds = await this.#guard.seconds('page', this.#guard.address(request));
    if (seconds > 0) return tooMany(response, 'too many requests from this address', seconds);
    const bytes = this.#door.blob(sha256);
    if (!bytes) return fail(response, 404, 'there is no such shard');
    response.writeHead(200, {
      ...RAW_HEADERS,
      'content-type': 'application/octet-stream',
      'content-length': bytes.byteLength,
      'cache-control': 'public, max-age=31536000, immutable',
    });
    response.end(bytes);
  }
}

function answerOn(exchange: Exchange): AnswerSink {
  const { response } = exchange;
  return {
    get gone() {
      return isGone(exchange);
    },
    answer: (head, frame, left) => {
      whenOver(exchange, left);
      const bytes = head.byteLength + (frame?.byteLength ?? 0);
      const type = 'application/octet-stream';
      const own = { 'content-type': type, 'content-length': bytes, 'cache-control': 'no-store' };
      response.writeHead(200, { ...RAW_HEADERS, ...own });
      if (frame) response.write(head);
      response.end(frame ?? head);
    },
    fail: ({ status, error, reason, retryAfterSeconds }) => {
      if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
      fail(response, status, error, reason);
    },
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...RAW_HEADERS,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

function tooMany(response: ServerResponse, error: string, seconds: number): void {
  response.setHeader('retry-after', String(seconds));
  fail(response, 429, error);
}

function refuseBody(response: ServerResponse, { status, error }: Extract<BodyResult, { ok: false }>): void {
  if (status === 503) response.setHeader('retry-after', String(BODIES_RETRY_SECONDS));
  fail(response, status, error);
}

/** An error, in words. A request whose body was not read is closed with its answer. */
function fail(response: ServerResponse, status: number, error: string, reason?: string): void {
  if (response.destroyed || response.headersSent) return;
  if (!response.req.complete) response.setHeader('connection', 'close');
  json(response, status, reason ? { error, reason } : { error });
}
