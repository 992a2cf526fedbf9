// A WebSocket in Node, which before version 22 has none of its own.

import { WebSocket } from 'ws';
import type { StreamSocket } from '../worker/stream.ts';
import { trusting } from './authority.ts';

/** `ca`: an authority to trust besides those that the machine knows. */
export const socketOpener =
  (ca: string | null) =>
  (url: string): StreamSocket =>
    new WebSocket(url, { perMessageDeflate: false, ...trusting(ca) }) as unknown as StreamSocket;

export const openSocket = socketOpener(null);
