// How what is not let in is told so: over HTTP, and where a WebSocket would have begun. Whether it is let in is others'.

import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Of answers that are no pages: bytes, JSON, errors. */
export const RAW_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

export interface Refusal {
  /** Of HTTP. */
  readonly status: number;
  /** One sentence. */
  readonly error: string;
  readonly retryAfterSeconds?: number;
}

/** Answers, and takes no more requests on this connection. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  const { headers, body } = answerOf(refusal);
  response.writeHead(refusal.status, headers).end(body);
}

/** Ends what would have become a WebSocket. Node has let go of the socket: an error on it, unheard, would end the process. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const { headers, body } = answerOf(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`);
}

function answerOf({ error, retryAfterSeconds }: Refusal): { headers: Record<string, string | number>; body: string } {
  const body = JSON.stringify({ error });
  const wait = retryAfterSeconds === undefined ? {} : { 'retry-after': retryAfterSeconds };
  const about = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' };
  return { headers: { ...RAW_HEADERS, ...about, ...wait }, body };
}
