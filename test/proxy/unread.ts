// A worker that asks for work and never reads the answer.

import { connect, type Socket } from 'node:net';
import type { PlainWorker } from '../server/harness.ts';

/** One pull of this worker, over a connection of its own that takes nothing. */
export function unread(url: string, { welcome, run }: PlainWorker): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  socket.pause();
  socket.write(
    `POST /data/runs/${run}/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${welcome.token}\r\nContent-Length: 0\r\n\r\n`,
  );
  return socket;
}
