// When an exchange over HTTP is over, on connections that carry many: answered one after another, or cut off in the middle.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { whenOver } from '../../server/adapters/http/exchange.ts';

const PIPELINED = 20; // more than Node lets listen to one connection without a warning

it('[N4] each exchange of a connection is over once, however it ends, and none leaves a listener on it', async () => {
  const over: string[] = [];
  const listeners = new Set<number>();
  const responses: ServerResponse[] = [];
  const server = createServer((request, response) => {
    whenOver({ request, response }, () => over.push(request.url!));
    listeners.add(request.socket.listenerCount('close'));
    responses.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  const all = Array.from({ length: PIPELINED }, (_, i) => `/${i}`);
  socket.write(all.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  await expect.poll(() => responses.length).toBe(PIPELINED);
  responses[0]!.end('read');
  await once(socket, 'data');
  await expect.poll(() => over).toEqual(['/0']);
  socket.resetAndDestroy();
  await expect.poll(() => over.length).toBe(PIPELINED);
  expect([...over].sort()).toEqual([...all].sort());
  expect([...listeners]).toHaveLength(1);

  const late = responses.at(-1)!; // whoever asks afterwards is told at once
  whenOver({ request: late.req, response: late }, () => over.push('late'));
  expect(over.at(-1)).toBe('late');
  server.close();
});
