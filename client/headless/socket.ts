// A WebSocket in Node, which before version 22 has none of its own.

import { WebSocket } from 'ws';
import type { StreamSocket } from '../worker/stream.ts';

export const openSocket = (url: string): StreamSocket =>
  new WebSocket(url, { perMessageDeflate: false }) as unknown as StreamSocket;
