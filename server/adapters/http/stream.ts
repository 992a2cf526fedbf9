// The data plane over WebSockets, for workers whose HTTP costs them more than the step is worth (browsers'): the frames of
// shared/protocol/stream.ts, the meaning of plane.ts.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { asRunId } from '../../../shared/ids.ts';
import {
  decodeStreamRequest,
  encodeStreamAnswer,
  STREAM_OVERHEAD_BYTES,
  STREAM_REQUESTS_MAX,
  STREAM_UNKNOWN_TOKEN,
  type StreamRequest,
} from '../../../shared/protocol/stream.ts';
import type { Door, Identity } from '../../door.ts';
import type { AnswerSink, Plane } from './plane.ts';

const ROUTE = /^\/data\/runs\/([\w.-]{1,64})\/stream$/;
/** A token is 32 characters. */
const TOKEN_CHARS_MAX = 128;
/** A stream that has not said whose it is by then is nobody's. */
const TOKEN_MS_MAX = 10_000;
const MALFORMED = 1007;
const TOO_MANY = 1008;

export interface DataStreamOptions {
  readonly door: Door;
  readonly plane: Plane;
  /** The paths, by their beginning, whose upgrades are somebody else's; all others are refused. */
  readonly others: readonly string[];
  readonly tokenMsMax?: number;
}

/** Takes the upgrades of /data/runs/:run/stream. Returns what cuts every stream off. */
export function dataStream(server: Server, options: DataStreamOptions): () => void {
  const { door, others } = options;
  const servers = new Map<string, WebSocketServer>();
  const serverOf = (run: string): WebSocketServer => {
    const maxPayload = door.manifest(asRunId(run)).pushBytesMax + STREAM_OVERHEAD_BYTES;
    const known = servers.get(run) ?? new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });
    servers.set(run, known);
    return known;
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (others.some((other) => path.startsWith(other))) return;
    const run = ROUTE.exec(path)?.[1];
    if (run === undefined || !door.has(asRunId(run))) return refuse(socket);
    serverOf(run).handleUpgrade(request, socket, head, (stream) => serve(stream, run, options));
  });
  return () => {
    for (const { clients } of servers.values()) for (const stream of clients) stream.terminate();
  };
}

/** Node has let go of the socket: an error on it, unheard, would end the process. */
function refuse(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
}

function serve(stream: WebSocket, run: string, { door, plane, tokenMsMax = TOKEN_MS_MAX }: DataStreamOptions): void {
  let token: string | undefined;
  const waiting = new Map<number, () => void>();
  const nobody = setTimeout(() => stream.terminate(), tokenMsMax);
  stream.on('error', () => stream.terminate()); // an oversized or broken message: ws has told the other end why
  stream.on('close', () => {
    clearTimeout(nobody);
    waiting.forEach((stop) => stop());
  });
  stream.on('message', (data: Buffer, binary: boolean) => {
    if (stream.readyState !== stream.OPEN) return; // refused already
    const first = token === undefined;
    token ??= binary || data.length > TOKEN_CHARS_MAX ? '' : data.toString();
    clearTimeout(nobody);
    const identity = door.identity(token); // each time: a worker may be forgotten meanwhile
    if (identity?.run !== run) return stream.close(STREAM_UNKNOWN_TOKEN, 'unknown token');
    if (first) return;
    const request = binary ? decodeStreamRequest(data) : null;
    if (!request || waiting.has(request.number)) return stream.close(MALFORMED, 'not a request');
    if (waiting.size >= STREAM_REQUESTS_MAX) return stream.close(TOO_MANY, 'too many requests under way');
    exchange(request, identity, { stream, waiting, plane });
  });
}

function exchange(
  { number, verb, lease, body }: StreamRequest,
  identity: Identity,
  { stream, waiting, plane }: { stream: WebSocket; waiting: Map<number, () => void>; plane: Plane },
): void {
  waiting.set(number, () => undefined);
  const sink = answerOn(stream, number, () => waiting.delete(number));
  if (verb !== 'pull') return plane.push(identity, { lease, bytes: body, wantsNext: verb === 'push' }, sink);
  const stop = plane.pull(identity, sink);
  if (waiting.has(number)) waiting.set(number, stop);
}

/** `done` when the answer has left this process: who does not read has its requests still under way. */
function answerOn(stream: WebSocket, number: number, done: () => void): AnswerSink {
  return {
    get gone() {
      return stream.readyState !== stream.OPEN;
    },
    answer: (head, frame) => {
      // One message of three parts: the frame is shared by many answers, so it is not copied into one buffer.
      stream.send(encodeStreamAnswer(number, 200), { binary: true, fin: false });
      if (frame) {
        stream.send(head, { binary: true, fin: false });
        stream.send(frame, { binary: true, fin: true }, done);
      } else stream.send(head, { binary: true, fin: true }, done);
    },
    fail: ({ status, error, reason, retryAfterSeconds }) => {
      const text = Buffer.from(JSON.stringify(reason ? { error, reason } : { error }));
      stream.send(Buffer.concat([encodeStreamAnswer(number, status, retryAfterSeconds), text]), { binary: true }, done);
    },
  };
}
