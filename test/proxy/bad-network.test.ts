// Real workers behind a bad network: slow, lossy, parted for a while, and answers that never come.

import { afterEach, describe, expect, it } from 'vitest';
import { startVolunteers, type Volunteers } from '../../client/headless/volunteers.ts';
import type { Started } from '../../server/host/start.ts';
import { asRunId } from '../../shared/ids.ts';
import { digitsRun, PlainWorker, start, UNHURRIED } from '../server/harness.ts';
import { FaultProxy } from './proxy.ts';

const RUN = asRunId('digits');
/** 200 ms there and back, two pieces in a hundred lost and sent again, a megabit a second up. */
const FAR = { latencyMs: 100, jitterMs: 20, stallChance: 0.02, stallMs: 400, upBytesPerSecond: 125_000 };

let coordinator: Started;
let proxy: FaultProxy;
let volunteers: Volunteers | null = null;
afterEach(async () => {
  await volunteers?.stop();
  volunteers = null;
  await proxy.close();
  await coordinator.close();
});

const version = (): number => coordinator.loop.summary(RUN).version;
const counted = (): number => coordinator.loop.ledger(RUN).reduce((sum, epoch) => sum + epoch.counted, 0);

describe('a far and lossy line', () => {
  it(
    '[P14] carries a run to its end through a partition: the same worker, no work lost or counted twice',
    { timeout: 180_000 },
    async () => {
      const timing = { ...UNHURRIED, pingEveryMs: 1000, silentMs: 2000 };
      coordinator = await start([digitsRun('epochs: 1\nbatchSize: 2048')], { timing });
      proxy = await FaultProxy.before(coordinator.url, 'far', FAR);
      volunteers = startVolunteers({ url: proxy.url, run: 'digits', count: 1, backend: 'wasm' });
      await expect.poll(version, { timeout: 60_000 }).toBeGreaterThan(3);
      const connected = coordinator.guard.connections;
      expect(connected).toBeGreaterThan(0);
      proxy.hold(); // both ends still think that they are connected
      await expect.poll(() => coordinator.guard.connections, { timeout: 60_000 }).toBe(0);
      const before = version();
      proxy.release();
      expect(await volunteers.done).toMatchObject({ ok: true });
      expect(version()).toBeGreaterThan(before);
      const { leases, workers, run } = coordinator.loop.snapshot(RUN, 0);
      expect(workers).toHaveLength(1);
      // Only what was leased in an answer that the partition swallowed is leased again: the worker never had it.
      expect(leases.expired).toBe(0);
      expect(leases.reissued).toBeLessThanOrEqual(2);
      expect(workers[0]!.refused).toEqual({});
      expect([counted(), run.status]).toEqual([run.samplesPerEpoch, 'finished']);
    },
  );

  it('[P14] [P9] that breaks again and again still counts every sample once', { timeout: 180_000 }, async () => {
    coordinator = await start([digitsRun('epochs: 1\nbatchSize: 1024')]);
    proxy = await FaultProxy.before(coordinator.url, 'broken', { latencyMs: 5, resetChance: 0.02 });
    volunteers = startVolunteers({ url: proxy.url, run: 'digits', count: 2, backend: 'wasm' });
    expect(await volunteers.done).toMatchObject({ ok: true });
    const { run, workers } = coordinator.loop.snapshot(RUN, 0);
    expect(proxy.made).toBeGreaterThan(6);
    expect(workers).toHaveLength(2);
    expect([counted(), run.status]).toEqual([run.samplesPerEpoch, 'finished']);
  });
});

describe('an answer that is lost', () => {
  it('[P9] [L4] leaves the push applied once, however often it is sent again', async () => {
    coordinator = await start([digitsRun()]);
    proxy = await FaultProxy.before(coordinator.url, 'lost');
    const worker = await PlainWorker.join(proxy.url);
    const params = await worker.lease();
    const gradient = new Float32Array(params.theta.length).fill(0.01);
    const bytes = worker.body(params, gradient).length;
    for (let tries = 0; tries < 2; tries++) {
      proxy.hold({ down: true });
      const lost = worker.push(params, gradient).then(
        () => 'answered',
        () => 'lost',
      );
      await expect.poll(() => coordinator.loop.workers(RUN)[0]!.bytesIn).toBe((tries + 1) * bytes);
      expect(version()).toBe(1);
      proxy.reset();
      expect(await lost).toBe('lost');
      proxy.release();
    }
    const { reply } = await worker.push(params, gradient);
    expect(reply).toMatchObject({ outcome: 'applied', repeated: true, version: 1 });
    expect(version()).toBe(1);
    expect(coordinator.loop.workers(RUN)[0]).toMatchObject({ pushes: 1 });
  });

  it('[P9] [L3] of a push that the line held beyond its deadline is a refusal, and its samples are counted once', async () => {
    coordinator = await start([digitsRun('leases: { perWorker: 1, softMinMs: 200, hardFactor: 2 }')]);
    proxy = await FaultProxy.before(coordinator.url, 'late');
    const worker = await PlainWorker.join(proxy.url);
    const params = await worker.lease();
    const gradient = new Float32Array(params.theta.length).fill(0.01);
    proxy.hold({ up: true });
    const late = worker.push(params, gradient);
    await expect.poll(() => coordinator.loop.snapshot(RUN, 0).leases.expired).toBe(1);
    proxy.release();
    expect((await late).reply).toMatchObject({ outcome: 'rejected', reason: 'expired-lease', version: 0 });
    expect([version(), counted()]).toEqual([0, 0]);
  });
});
