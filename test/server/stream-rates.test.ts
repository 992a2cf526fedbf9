// What becomes of a stream that asks oftener than its worker may.

import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { NO_LIMITS } from '../../server/limits.ts';
import type { Started } from '../../server/host/start.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { encodeStreamRequestHead, STREAM_REQUESTS_MAX } from '../../shared/protocol/stream.ts';
import { digitsRun, PlainWorker, start } from './harness.ts';

let coordinator: Started;
afterEach(() => coordinator.close());

describe('rates of a stream', () => {
  /** A stream of a worker that may ask so often a second; `ask` asks for work, whatever it is told. */
  async function streamOf(points: number) {
    const rates = { ...NO_LIMITS.rates, worker: { points, seconds: 1 } };
    coordinator = await start([digitsRun()], { limits: { ...NO_LIMITS, rates } });
    const worker = await PlainWorker.join(coordinator.url);
    const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}/data/runs/digits/stream`);
    await once(socket, 'open');
    socket.send(worker.welcome.token);
    const count = { heard: 0, refused: 0 };
    socket.on('message', (data: Buffer) => void (count[data.readUInt16LE(4) === 429 ? 'refused' : 'heard'] += 1));
    let number = 0;
    const ask = (): void => {
      const message = new Uint8Array(8);
      encodeStreamRequestHead(message, { number: ++number, verb: 'pull', lease: '' });
      socket.send(message);
    };
    return { worker, socket, count, ask };
  }

  it('[N1] [P21] too many are answered 429, and who does not listen is not read until it may ask again', async () => {
    const POINTS = 5;
    const { socket, count, ask } = await streamOf(POINTS);
    const beganMs = performance.now();
    socket.on('message', ask);
    for (let i = 0; i < STREAM_REQUESTS_MAX - 1; i++) ask();
    await expect.poll(() => count.heard, { timeout: 30_000 }).toBeGreaterThanOrEqual(3 * POINTS);
    const windows = (performance.now() - beganMs) / 1000 + 1;
    expect(count.heard).toBeLessThanOrEqual(POINTS * windows);
    expect(count.refused).toBeGreaterThan(0);
    expect(count.refused).toBeLessThanOrEqual(STREAM_REQUESTS_MAX * windows);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  it.each(['dies', 'has its worker banned'] as const)(
    '[N1] one that %s while it is not read is let go of',
    async (end) => {
      const { worker, socket, count, ask } = await streamOf(2);
      const { connections } = coordinator.guard;
      for (let i = 0; i < 3; i++) ask();
      await expect.poll(() => count.refused).toBe(1);
      const ban = { worker: asWorkerId(worker.welcome.worker), reason: 'for a reason' };
      if (end === 'dies') socket.terminate();
      else coordinator.loop.dispatch({ type: 'ban', run: digitsRun().id, ...ban });
      await expect.poll(() => coordinator.guard.connections, { timeout: 10_000 }).toBeLessThan(connections);
    },
  );
});
