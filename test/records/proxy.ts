// Stands between the coordinator and a database, and cuts them off: connections end, or nothing passes any more.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CutProxy {
  readonly port: number;
  /** `through`: all is well. `silent`: connections stand, and nothing passes. `closed`: they are cut, and new ones too. */
  set(state: 'through' | 'silent' | 'closed'): void;
  close(): Promise<void>;
}

export async function cutProxy(host: string, port: number): Promise<CutProxy> {
  let state: 'through' | 'silent' | 'closed' = 'through';
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((inner) => {
    hold(inner);
    if (state === 'closed') return void inner.destroy();
    const outer = connect(port, host);
    hold(outer);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      from.on('data', (data: Buffer) => void (state === 'through' && to.write(data)));
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      state = next;
      if (state !== 'silent') for (const socket of sockets) socket.destroy();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
