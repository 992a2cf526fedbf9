// Presence over real sockets: who says goodbye is gone, who only loses the connection is away and keeps its leases.

import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SocketControl } from '../../client/worker/control.ts';
import type { Started } from '../../server/host/start.ts';
import { asRunId } from '../../shared/ids.ts';
import type { ServerToWorker, WorkerToServer } from '../../shared/protocol/events.ts';
import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { HttpTransport } from '../../client/worker/transport.ts';
import { digitsRun, PlainWorker, start } from './harness.ts';

const run = asRunId('digits');
const hello: Hello = {
  protocol: PROTOCOL_VERSION,
  run,
  name: 'remote',
  device: { backend: 'cpu', adapter: 'test', fallback: false, tried: [] },
};
type Control = Socket<ServerToWorker, WorkerToServer>;

let coordinator: Started;
beforeAll(async () => {
  coordinator = await start([digitsRun()]);
});
afterAll(() => coordinator.close());

const connect = (): Control => io(coordinator.url, { transports: ['websocket'], forceNew: true, reconnection: false });
async function greet(socket: Control, more: Partial<Hello> = {}): Promise<Extract<Welcome, { ok: true }>> {
  const welcome: Welcome = await socket.emitWithAck('hello', { ...hello, ...more });
  if (!welcome.ok) throw new Error(welcome.refusal);
  return welcome;
}
const transportOf = (welcome: Extract<Welcome, { ok: true }>): HttpTransport => {
  const transport = new HttpTransport({ url: coordinator.url });
  transport.admit(welcome);
  return transport;
};
/** Takes a lease; its id. */
async function lease(transport: HttpTransport): Promise<string> {
  const { reply } = await transport.pull();
  if (reply.next.kind !== 'lease') throw new Error(`no lease: ${JSON.stringify(reply.next)}`);
  return reply.next.lease.id;
}
const rowOf = (worker: string) => coordinator.loop.workers(run).find(({ id }) => id === worker)!;
const becomes = (worker: string, row: object): Promise<void> =>
  vi.waitFor(() => expect(rowOf(worker)).toMatchObject(row), { timeout: 5_000 });

describe('a closed connection', () => {
  it('[H3] with a goodbye: the worker is gone, and its leases are free at once', async () => {
    const socket = connect();
    const welcome = await greet(socket);
    await lease(transportOf(welcome));
    expect(rowOf(welcome.worker)).toMatchObject({ state: 'training', leases: 1 });
    socket.disconnect();
    await becomes(welcome.worker, { state: 'gone', leases: 0 });
  });

  it('[H8] [S3] without one: it is asleep, keeps its leases, and says which it still has when it is back', async () => {
    const socket = connect();
    const welcome = await greet(socket);
    const transport = transportOf(welcome);
    const held = [await lease(transport), await lease(transport)];
    socket.io.engine.close();
    await becomes(welcome.worker, { state: 'asleep', leases: 2 });
    const again = connect();
    const { worker } = await greet(again, { token: welcome.token, holding: [held[1]!] });
    expect(worker).toBe(welcome.worker);
    expect(rowOf(worker)).toMatchObject({ state: 'training', leases: 1 });
    again.disconnect();
    await becomes(worker, { state: 'gone', leases: 0 });
  });

  it('[H10] over HTTP: the worker is gone, and what it still has under way brings no more work', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const { worker: id, token } = worker.welcome;
    await worker.lease();
    expect(rowOf(id)).toMatchObject({ state: 'training', leases: 1 });
    expect((await worker.request('/workers', { method: 'DELETE' })).status).toBe(204);
    expect(rowOf(id)).toMatchObject({ state: 'gone', leases: 0 });
    const pull = await worker.request('/leases', { method: 'POST' });
    expect(pull.status).toBe(503);
    const again = await PlainWorker.join(coordinator.url, 'digits', token);
    expect(again.welcome.worker).toBe(id);
    expect((await again.request('/workers', { method: 'DELETE' })).status).toBe(204);
  });

  it('[V16] a volunteer that stops says goodbye', async () => {
    const control = await new Promise<SocketControl>((resolve) => {
      const nothing = (): void => undefined;
      const listener = { connected: () => resolve(made), disconnected: nothing, control: nothing, progress: nothing };
      const made = new SocketControl(coordinator.url, listener);
      made.connect();
    });
    const welcome = await control.hello(hello);
    if (!welcome.ok) throw new Error(welcome.refusal);
    await lease(transportOf(welcome));
    control.disconnect();
    await becomes(welcome.worker, { state: 'gone', leases: 0 });
  });

  it('[V29] [P20] a message above the limit closes it, and the volunteer is told that this is why', async () => {
    const told = await new Promise<boolean>((resolve) => {
      const nothing = (): void => undefined;
      const connected = (): void => void made.release([`l${'x'.repeat(100_000)}`]);
      const made = new SocketControl(coordinator.url, {
        connected,
        disconnected: resolve,
        control: nothing,
        progress: nothing,
      });
      made.connect();
    });
    expect(told).toBe(true);
  });
});
