// Somebody between a browser and the coordinator, who changes what the coordinator answers. Its control sockets pass
// unread; the data plane's streams do not open, so that pulls and pushes go over HTTP, where they can be changed.

import { createServer, request as ask, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Changes the body of an answer, in place. */
export type Tamper = (request: IncomingMessage, body: Buffer) => void;

export interface Tamperer {
  readonly url: string;
  /** From now on; null lets everything pass as it is. */
  tamper: Tamper | null;
  close(): Promise<void>;
}

export async function tamperer(coordinator: string): Promise<Tamperer> {
  const { hostname, port } = new URL(coordinator);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = ask({ hostname, port, method, path: url, headers }, (answer) => {
      buffer(answer).then(
        (body) => {
          self.tamper?.(request, body);
          response.writeHead(answer.statusCode!, answer.headers).end(body);
        },
        () => response.destroy(),
      );
    });
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  server.on('upgrade', ({ url, rawHeaders }: IncomingMessage, socket: Socket) => {
    if (!url!.startsWith('/socket.io/')) return void socket.destroy();
    const onward = connect(Number(port), hostname, () => {
      const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
      onward.write([`GET ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => (socket.destroy(), onward.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: Tamperer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tamper: null,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return self;
}

/** Turns one bit round. */
export function flipBit(body: Buffer, at: number): void {
  body[at] = body[at]! ^ 1;
}
