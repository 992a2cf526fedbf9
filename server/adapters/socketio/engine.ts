// What holds for every control connection, before anything that it says is looked at: what it must be, how many packets it
// sends, and in how many pieces.

import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Guard } from '../../guard.ts';
import { refuse, refuseUpgrade, type Refusal } from '../../refusal.ts';
import { letUpgrade, type UpgradeRules } from '../../upgrade.ts';
import { LimitedWebSocketServer } from '../../websocket.ts';

/** Control messages are a few hundred bytes. */
const MESSAGE_BYTES_MAX = 32 * 1024;
/** Packets that wait for a slow reader before it is skipped. A page's are some 100 kB each. */
export const UNSENT_PACKETS_MAX = 4;
const CONNECT_MS_MAX = 10_000;
const PONG_MS_MAX = 20_000;
const NOT_HERE: Refusal = { status: 400, error: 'expected a new WebSocket of socket.io: nothing else is served here' };

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface Connection {
  readonly id: string;
  on(event: 'packet', listener: () => void): unknown;
  close(discard: boolean): void;
}

/** Of socket.io's server. */
export function engineOptions(guard: Guard) {
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
  };
}

/**
 * Lets nothing through to engine.io but new WebSockets. Where a request names a connection that there is already, engine.io
 * keeps a plain one without ever answering it, and takes a WebSocket without asking where it comes from.
 */
export function keepOut(engine: { use(middleware: Middleware): void }, rules: UpgradeRules): void {
  engine.use((request, response, next) => {
    const { socket, headers } = request;
    // An upgrade has only a stand-in for a response.
    if (response instanceof ServerResponse) return refuse(response, rules.origins.misdirected(headers) ?? NOT_HERE);
    void letUpgrade(request, rules).then((address) => {
      if (address === null) return;
      if (isNew(request)) next();
      else refuseUpgrade(socket, NOT_HERE);
    });
  });
}

/** Read as engine.io does: of two of a name the last counts. */
function isNew({ method, url = '', headers: { upgrade = '' } }: IncomingMessage): boolean {
  const asked = Object.fromEntries(new URL(url, 'http://any').searchParams);
  const speaks = asked['EIO'] === '4' && asked['transport'] === 'websocket';
  return method === 'GET' && upgrade.toLowerCase() === 'websocket' && speaks && !('sid' in asked);
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
