// The data plane over plain HTTP, on Node's own server, as every microsecond here is paid on every step of every worker:
// routes, tokens, bodies. What a pull or a push means is plane.ts. Documented in docs/API.md.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { asLeaseId, asRunId, type RunId } from '../../../shared/ids.ts';
import type { Door, Identity } from '../../door.ts';
import { readBody } from './body.ts';
import type { AnswerSink, Plane } from './plane.ts';

/** A hello is a few hundred bytes. */
const HELLO_BYTES_MAX = 16 * 1024;
const ROUTE = /^\/data\/(?:runs\/([\w.-]{1,64})\/(workers|leases)(?:\/([\w.-]{1,64}))?|blobs\/([0-9a-f]{64}))$/;

export type DataPlane = (request: IncomingMessage, response: ServerResponse) => void;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A handler for every path that begins with /data/. */
export function dataPlane(door: Door, plane: Plane): DataPlane {
  const routes = new Routes(door, plane);
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

  constructor(door: Door, plane: Plane) {
    this.#door = door;
    this.#plane = plane;
  }

  async handle(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const url = new URL(request.url ?? '/', 'http://coordinator');
    const [, run, kind, lease, blob] = ROUTE.exec(url.pathname) ?? [];
    if (blob !== undefined && request.method === 'GET') return this.#blob(blob, response);
    if (run === undefined || !this.#door.has(asRunId(run)))
      return fail(response, 404, 'there is no such run or address');
    const route = `${request.method} ${kind}${lease ? '/one' : ''}`;
    if (route === 'POST workers') return this.#hello(asRunId(run), exchange);
    const identity = this.#identify(request, asRunId(run));
    if (!identity) return fail(response, 401, 'expected Authorization: Bearer and the token of a welcome to this run');
    switch (route) {
      case 'POST leases':
        return this.#pull(identity, exchange);
      case 'POST leases/one':
        return this.#push(identity, exchange, { lease: lease!, wantsNext: url.searchParams.get('next') !== '0' });
      case 'DELETE leases/one':
        return this.#release(identity, lease!, response);
      default:
        return fail(response, 405, `${request.method} is not for this address`);
    }
  }

  #identify(request: IncomingMessage, run: RunId): Identity | undefined {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    const identity = scheme === 'Bearer' && token ? this.#door.identity(token) : undefined;
    return identity?.run === run ? identity : undefined;
  }

  async #hello(run: RunId, { request, response }: Exchange): Promise<void> {
    const body = await readBody(request, HELLO_BYTES_MAX);
    if (!body.ok) return fail(response, body.status, body.error);
    let hello: unknown;
    try {
      hello = JSON.parse(new TextDecoder().decode(body.bytes));
    } catch {
      return fail(response, 400, 'the body is not JSON');
    }
    const named = typeof hello === 'object' && hello !== null && 'run' in hello ? hello.run : undefined;
    if (named !== run) return fail(response, 400, 'the hello names another run than the address');
    json(response, 200, this.#door.admit(hello, 'http').welcome);
  }

  #pull(identity: Identity, { request, response }: Exchange): void {
    request.resume();
    response.once('close', this.#plane.pull(identity, answerOn(response)));
  }

  async #push(
    identity: Identity,
    { request, response }: Exchange,
    push: { lease: string; wantsNext: boolean },
  ): Promise<void> {
    const body = await readBody(request, this.#door.manifest(identity.run).pushBytesMax);
    if (!body.ok) return fail(response, body.status, body.error);
    this.#plane.push(identity, { ...push, bytes: body.bytes }, answerOn(response));
  }

  #release({ run, worker }: Identity, lease: string, response: ServerResponse): void {
    this.#door.dispatch({ type: 'release', run, worker, leases: [asLeaseId(lease)] });
    response.writeHead(204).end();
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

function answerOn(response: ServerResponse): AnswerSink {
  return {
    get gone() {
      return response.destroyed;
    },
    answer: (head, frame) => {
      const bytes = head.byteLength + (frame?.byteLength ?? 0);
      const type = 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-length': bytes, 'cache-control': 'no-store' });
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
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** An error, in words. A request whose body was not read is closed with its answer. */
function fail(response: ServerResponse, status: number, error: string, reason?: string): void {
  if (!response.req.complete) response.setHeader('connection', 'close');
  json(response, status, reason ? { error, reason } : { error });
}
