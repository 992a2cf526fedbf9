// WebSockets that no message in a million pieces and no flood of pings can fill the memory through.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { refuseUpgrade, type Refusal } from './refusal.ts';

/** A message comes in pieces of this size or larger, or in few. */
const PIECE_BYTES = 4096;
const PIECES_MIN = 64;
/** Who does not answer a goodbye is not waited for. */
const CLOSE_MS_MAX = 5_000;
const NO_HANDSHAKE: Refusal = { status: 400, error: 'expected the handshake of a WebSocket, version 13' };

export class LimitedWebSocketServer extends WebSocketServer {
  /** `maxPayload` in bytes, of the largest message. */
  constructor(options: ServerOptions & { readonly maxPayload: number }) {
    const pieces = Math.max(PIECES_MIN, Math.ceil(options.maxPayload / PIECE_BYTES));
    // A TCP segment may be cut anywhere: of those there may be some more.
    const limits = { maxFragments: pieces, maxBufferedChunks: 8 * pieces, closeTimeout: CLOSE_MS_MAX };
    super({ ...options, ...limits, autoPong: false });
    this.on('wsClientError', (_error, socket) => refuseUpgrade(socket, NO_HANDSHAKE));
  }

  override handleUpgrade(
    request: InstanceType<typeof IncomingMessage>,
    socket: Duplex,
    head: Buffer,
    callback: (client: WebSocket, request: InstanceType<typeof IncomingMessage>) => void,
  ): void {
    super.handleUpgrade(request, socket, head, (client) => {
      // Who does not read its pongs gets no more: they would wait here.
      client.on('ping', (data) => client.bufferedAmount === 0 && client.pong(data));
      callback(client, request);
    });
  }
}
