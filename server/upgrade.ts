// What every connection must pass before it becomes a WebSocket, on either plane: the name that it asks for, the page that it
// comes from, how often its address connects, and how many it has.

import type { IncomingMessage } from 'node:http';
import type { Guard } from './guard.ts';
import type { Origins } from './origins.ts';
import { refuseUpgrade, type Refusal } from './refusal.ts';

const OFTEN: Refusal = { status: 429, error: 'too many connections from this address' };
const MANY: Refusal = { status: 429, error: 'this address has as many connections open as it may' };

export interface UpgradeRules {
  readonly guard: Guard;
  readonly origins: Origins;
}

/** Its address, as it is counted until the connection closes; null when it may not, or is gone: then it has been answered. */
export async function letUpgrade(request: IncomingMessage, { guard, origins }: UpgradeRules): Promise<string | null> {
  const { socket, headers } = request;
  const no = (refusal: Refusal): null => {
    refuseUpgrade(socket, refusal);
    return null;
  };
  const refusal = origins.refusal(headers);
  if (refusal) return no(refusal);
  const address = guard.address(request);
  const broken = (): void => void socket.destroy();
  socket.on('error', broken);
  const seconds = await guard.seconds('upgrade', address);
  socket.off('error', broken);
  if (seconds > 0) return no({ ...OFTEN, retryAfterSeconds: seconds });
  if (socket.destroyed) return null; // its end would not be told again
  const closed = guard.connectWebSocket(address);
  if (!closed) return no(MANY);
  socket.once('close', closed);
  return address;
}
