// The server beneath everything, plain or with a certificate: how many connections it takes, how long they may take, and how
// one that has died is found out.

import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Guard } from '../../guard.ts';

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A request in all, its body too; bodies of pushes have limits of their own, by their length. */
const REQUEST_MS_MAX = 600_000;
/** A peer that vanished without a word is found out by TCP's own probes, ten of them a second apart. */
const PROBE_AFTER_MS = 30_000;
/** A browser's headers have some 2 kB. */
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
/** Node looks so often for requests that are late. */
const LATE_EVERY_MS_MAX = 2_000;
const HANDSHAKE_MS_MAX = 10_000;

export interface ListeningServer {
  readonly server: Server | TlsServer;
  /** Goes on with another certificate: for new connections. Throws when it is none, or the server has none. */
  readonly recertify: (certificate: Certificate) => void;
}

/** A server that is not listening yet. */
export function limitedServer(
  guard: Guard,
  certificate: Certificate | null,
  handler: RequestListener,
): ListeningServer {
  const { headersMs, silentMs, pingEveryMs } = guard.timing;
  const options = {
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    connectionsCheckingInterval: Math.min(LATE_EVERY_MS_MAX, headersMs),
  };
  const tls = certificate
    ? createTlsServer(
        { ...options, ...certificate, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS_MAX },
        handler,
      )
    : null;
  const server = tls ?? createServer(options, handler);
  server.headersTimeout = headersMs;
  server.requestTimeout = REQUEST_MS_MAX;
  server.maxHeadersCount = HEADERS_MAX;
  // Of silence, both ways, while a request is under way and between two: longer than most steps.
  server.timeout = silentMs + pingEveryMs;
  server.keepAliveTimeout = server.timeout;
  if (Number.isFinite(guard.limits.connections)) server.maxConnections = guard.limits.connections;
  server.on('connection', (socket: Socket) => {
    const closed = guard.connectSocket(socket.remoteAddress);
    if (closed) socket.once('close', closed);
    else socket.destroy();
  });
  return {
    server,
    recertify: (next) => {
      if (!tls) throw new Error('a server without a certificate was given one');
      tls.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
    },
  };
}
