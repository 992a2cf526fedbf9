// What holds for every control connection, before anything that it says is looked at: how often it connects, how many packets
// it sends, and in how many pieces.

import type { IncomingMessage } from 'node:http';
import type { Guard } from '../../guard.ts';
import type { Origins } from '../../origins.ts';
import { LimitedWebSocketServer } from '../../websocket.ts';

/** Control messages are a few hundred bytes. */
const MESSAGE_BYTES_MAX = 32 * 1024;
/** Packets that wait for a slow reader before it is skipped. A page's are some 100 kB each. */
export const UNSENT_PACKETS_MAX = 4;
const CONNECT_MS_MAX = 10_000;
const PONG_MS_MAX = 20_000;

interface Connection {
  readonly id: string;
  on(event: 'packet', listener: () => void): unknown;
  close(discard: boolean): void;
}

/** Of socket.io's server. */
export function engineOptions(guard: Guard, origins: Origins) {
  const { pingEveryMs, silentMs } = guard.timing;
  return {
    transports: ['websocket' as const],
    perMessageDeflate: false,
    serveClient: false,
    maxHttpBufferSize: MESSAGE_BYTES_MAX,
    wsEngine: LimitedWebSocketServer,
    connectTimeout: CONNECT_MS_MAX,
    pingInterval: pingEveryMs,
    pingTimeout: Math.min(PONG_MS_MAX, silentMs),
    allowRequest: (request: IncomingMessage, decide: (refusal: string | null, allowed: boolean) => void) => {
      const refusal = origins.refusal(request.headers);
      if (refusal) return decide(refusal.error, false);
      void guard
        .seconds('upgrade', guard.address(request))
        .then((seconds) => decide(seconds > 0 ? 'too many connections from this address' : null, seconds === 0));
    },
  };
}

/** Cuts off who sends more packets than any of ours does. */
export function limitPackets(
  engine: { on(event: 'connection', listener: (connection: Connection) => void): unknown },
  guard: Guard,
): void {
  engine.on('connection', (connection) => {
    connection.on('packet', () => {
      void guard.seconds('packet', connection.id).then((seconds) => {
        if (seconds > 0) connection.close(true);
      });
    });
  });
}

/** Events that are none of ours are ignored; how many came is one of the figures. */
export function countStrange(
  socket: { onAny(listener: (event: string) => void): unknown },
  known: readonly string[],
  guard: Guard,
): void {
  socket.onAny((event) => {
    if (!known.includes(event)) guard.heldBack.event += 1;
  });
}

/** What engine.io holds for a reader that does not read: its own queue, which its types keep private. */
export const unsent = ({ conn }: { conn: unknown }): number =>
  (conn as { writeBuffer: readonly unknown[] }).writeBuffer.length;
