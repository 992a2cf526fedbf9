// A coordinator's data plane for tests: a real HTTP server on a port of its own, whose every answer the test decides.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeEnvelope } from '../../shared/protocol/envelope.ts';
import { encodeEnvelope } from '../shared/whole-envelope.ts';
import { decodeFrame, encodeFrame, frameBytes } from '../../shared/protocol/frame.ts';
import type { Next } from '../../shared/protocol/lease.ts';
import { manifest } from './rig.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly cacheControl: string | undefined;
  readonly body: Uint8Array;
}

export type Respond = (request: Received, response: ServerResponse) => void;

export class DataPlane {
  readonly received: Received[] = [];
  /** Answers in turn; the last one answers the rest. */
  answers: Respond[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async listen(): Promise<DataPlane> {
    const plane = new DataPlane();
    plane.#server.listen(0, '127.0.0.1');
    await once(plane.#server, 'listening');
    return plane;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization, 'cache-control': cacheControl } = request.headers;
    const body = new Uint8Array(Buffer.concat(chunks));
    const received = { method: request.method!, path: request.url!, authorization, cacheControl, body };
    this.received.push(received);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    answer!(received, response);
  }
}

/** An envelope with the parameters of the lease in it, if there is one. `spoil` changes its bytes. */
export function envelope(
  reply: { readonly next: Next },
  params: Float32Array | null = null,
  spoil: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Respond {
  const size = params === null ? 0 : frameBytes(params.length, 'f32');
  const { bytes, frame } = encodeEnvelope(reply, size);
  if (params !== null && reply.next.kind === 'lease') {
    const { runKey, layoutHash } = manifest;
    const { baseVersion } = reply.next.lease;
    const header = { kind: 'params', codec: 'f32', runKey, baseVersion, length: params.length, layoutHash } as const;
    encodeFrame(frame, header, params);
  }
  return (_, response) => response.end(spoil(bytes));
}

export function error(status: number, headers: Record<string, string> = {}): Respond {
  return (_, response) => response.writeHead(status, headers).end(JSON.stringify({ error: 'no' }));
}

/** What a worker pushed, read as the coordinator reads it. */
export function readPush({ body }: Received, baseVersion: number): { meta: unknown; vector: Float32Array } {
  const read = decodeEnvelope(body, 4096);
  if (!read.ok || read.frame === null) throw new Error('not a push');
  const vector = new Float32Array(manifest.parameters);
  const { runKey, layoutHash, parameters: length, pushCodec: codec } = manifest;
  const frame = decodeFrame(vector, read.frame, { kind: 'gradient', runKey, layoutHash, length, codec, baseVersion });
  if (!frame.ok) throw new Error(frame.error);
  return { meta: read.json, vector };
}
