// One request with its answer, and when that is over. Of the exchanges under way on one connection, Node tells only the first
// that it has died: answers that are queued behind another would wait for ever. What must be let go of with an answer goes by
// the connection's end too.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Of each open connection, what is not over yet: one listener a connection, however many exchanges it carries. */
const underWay = new WeakMap<Socket, Set<() => void>>();

/** Nobody is there any more to read the answer. */
export const isGone = ({ request, response }: Exchange): boolean => response.destroyed || request.socket.destroyed;

/** Calls `done` once: when the answer has left this process, or never will. */
export function whenOver(exchange: Exchange, done: () => void): void {
  if (isGone(exchange)) return done();
  const { request, response } = exchange;
  const others = underWay.get(request.socket) ?? watched(request.socket);
  const over = (): void => {
    if (others.delete(over)) done();
  };
  others.add(over);
  response.once('close', over);
}

function watched(socket: Socket): Set<() => void> {
  const exchanges = new Set<() => void>();
  underWay.set(socket, exchanges);
  socket.once('close', () => exchanges.forEach((over) => over()));
  return exchanges;
}
