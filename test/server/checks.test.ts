// The coordinator computes for itself: the gradient on held-out samples, and leases again; honest volunteers are known by it
// and others found out.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Evaluator } from '../../server/adapters/evaluator.ts';
import { prepareRun, type RunData } from '../../server/host/rundata.ts';
import { loadMethods } from '../../server/registry.ts';
import { startVolunteers } from '../../client/headless/volunteers.ts';
import { decodeShard } from '../../shared/data/shard.ts';
import { asRunId } from '../../shared/ids.ts';
import { Trainer } from '../../shared/nn/trainer.ts';
import type { Lease, LocalWork, Work } from '../../shared/protocol/lease.ts';
import { rng } from '../../shared/rng.ts';
import { scale } from '../../shared/vec.ts';
import { useBackend } from '../nn/backends.ts';
import { relativeError } from '../nn/compare.ts';
import { DATA_DIR, digitsRun, PlainWorker, start } from './harness.ts';

describe('the evaluation thread', () => {
  const evaluator = new Evaluator();
  let data: RunData;
  let trainer: Trainer;
  const theta = (): Float32Array => {
    const random = rng('theta');
    return new Float32Array(data.setup.layout.dim).map(() => 0.1 * random.normal());
  };
  const shard = (index: number): Uint8Array => data.blobs.get(data.shards[index]!.sha256)!;
  const leaseOf = (work: Work, batches: number): Lease => ({
    ...{ id: 'l1', baseVersion: 0, epoch: 0, work },
    batches: Array.from({ length: batches }, (_, i) => ({
      shard: i % data.shards.length,
      start: 64 * i,
      count: 64,
      offset: 7,
      stride: 3,
    })),
  });
  /** What a volunteer on another backend makes of the lease, and what the coordinator says to it. */
  const checked = async (lease: Lease, spoil: (vector: Float32Array) => void, say = (loss: number): number => loss) => {
    const { work, batches } = lease;
    const { vector, loss } = await trainer.compute({ work, batches, theta: theta() }, (index) =>
      decodeShard(shard(index)),
    );
    const pushed = vector.slice();
    spoil(pushed);
    const shards = new Map(batches.map((batch) => [batch.shard, shard(batch.shard)]));
    return evaluator.recompute('digits', {
      lease,
      params: theta(),
      pushed,
      pushedLoss: say(loss),
      codec: 'f32',
      shards,
    });
  };

  beforeAll(async () => {
    data = await prepareRun(digitsRun('model: { name: mlp }'), { methods: await loadMethods(), dataDir: DATA_DIR });
    const { model, layout, dataset } = data.setup;
    const subject = { model, layout, scale: { mean: dataset.mean, deviation: dataset.deviation } };
    const { validation, test } = data.dataset;
    evaluator.add({ run: 'digits', ...subject, splits: { validation, test } });
    await useBackend('cpu');
    trainer = new Trainer(subject);
  });
  afterAll(() => evaluator.close());

  it('[G5] takes the gradient of the loss on held-out samples', async () => {
    const { validation } = data.dataset;
    const count = Math.min(500, validation.count);
    const lease = {
      work: { kind: 'gradient' } as const,
      batches: [{ shard: 0, start: 0, count, offset: 0, stride: 1 }],
    };
    const { vector } = await trainer.compute({ ...lease, theta: theta() }, () => validation);
    expect(relativeError(await evaluator.trust('digits', theta()), vector)).toBeLessThan(1e-4);
  });

  it('[G6] [P23] finds an honest gradient of another backend the same, with a hundredth of the tolerance', async () => {
    const result = (await checked(leaseOf({ kind: 'gradient' }, 2), () => undefined))!;
    expect(result.same).toBe(true);
    expect(result.distance).toBeLessThan(1e-4);
    expect(1 - result.cosine).toBeLessThan(1e-5);
    expect(result.lossOff).toBeLessThan(1e-5);
  });

  it('[G6] [P23] and where the samples are known by heart, whose gradient is mostly rounding, within what is let pass', async () => {
    const lease = leaseOf({ kind: 'gradient' }, 1);
    const [at, velocity] = [theta(), theta().fill(0)];
    const samples = decodeShard(shard(0));
    for (let step = 0; step < 30; step++) {
      const { vector } = await trainer.compute({ ...lease, theta: at }, () => samples);
      for (let i = 0; i < at.length; i++) at[i]! -= 0.2 * (velocity[i] = 0.9 * velocity[i]! + vector[i]!);
    }
    const { vector, loss } = await trainer.compute({ ...lease, theta: at }, () => samples);
    const check = {
      lease,
      params: at,
      pushed: vector.slice(),
      pushedLoss: loss,
      codec: 'f32',
      shards: new Map([[0, shard(0)]]),
    } as const;
    const result = (await evaluator.recompute('digits', check))!;
    expect(loss).toBeLessThan(1e-3);
    expect(result).toMatchObject({ same: true });
    expect(result.distance).toBeLessThan(1e-7 / loss);
    expect(result.lossOff).toBeLessThan(1e-7 / loss);
  });

  const sgd: LocalWork = { kind: 'local', optimizer: { name: 'sgd' }, learningRate: 0.05, weightDecay: 0.001, seed: 3 };
  it('[G6] finds honest local steps the same, also when their mixing is drawn', async () => {
    const plain = (await checked(leaseOf(sgd, 10), () => undefined))!;
    expect(Math.max(plain.distance, plain.lossOff)).toBeLessThan(1e-3);
    const mixed = { ...sgd, mixing: { probability: 0.2, rate: 0.1 } };
    expect((await checked(leaseOf(mixed, 10), () => undefined))!.same).toBe(true);
  });

  it('[G6] [P23] finds another gradient different: noise, a sign, a length, another batch’s', async () => {
    const lease = leaseOf({ kind: 'gradient' }, 1);
    const random = rng('noise');
    const noise = await checked(lease, (vector) => vector.forEach((_, i) => (vector[i] = random.normal())));
    expect(noise).toMatchObject({ same: false });
    expect(Math.abs(noise!.cosine)).toBeLessThan(0.1);
    expect(await checked(lease, (vector) => scale(vector, -1))).toMatchObject({ same: false });
    expect(await checked(lease, (vector) => scale(vector, 1.02))).toMatchObject({ same: false });
    const other = await trainer.compute(
      { work: lease.work, batches: [{ ...lease.batches[0]!, start: 64 }], theta: theta() },
      (index) => decodeShard(shard(index)),
    );
    const copied = other.vector.slice();
    expect(await checked(lease, (vector) => vector.set(copied))).toMatchObject({ same: false });
  });

  it('[G6] [P23] finds another loss different, of a gradient and of local steps that are right', async () => {
    const lies: ((loss: number) => number)[] = [() => 1e9, () => 0, (loss) => 1.2 * loss];
    for (const lease of [leaseOf({ kind: 'gradient' }, 2), leaseOf(sgd, 4)])
      for (const say of lies) {
        const result = (await checked(lease, () => undefined, say))!;
        expect(result).toMatchObject({ same: false });
        expect(result.distance).toBeLessThan(1e-3);
      }
  });

  it('[G6] fails where it cannot compute, and goes on', async () => {
    const lease = leaseOf({ kind: 'gradient' }, 1);
    const [params, pushed] = [theta().fill(NaN), theta()];
    const shards = new Map([[0, shard(0)]]);
    await expect(
      evaluator.recompute('digits', { lease, params, pushed, pushedLoss: 1, codec: 'f32', shards }),
    ).rejects.toThrow(/gradient/);
    expect((await checked(lease, () => undefined))!.same).toBe(true);
  });
});

describe('a coordinator with all its defences', () => {
  const run = asRunId('digits');

  it('[G6] [G7] [P23] trusts volunteers that compute, and bans one that does not', async () => {
    const everyPush = 'defences: { spotChecks: { newcomer: 1, least: 1 } }\nepochs: 20';
    const coordinator = await start([digitsRun(everyPush)]);
    const volunteers = startVolunteers({ url: coordinator.url, count: 2, backend: 'wasm' });
    const liar = await PlainWorker.join(coordinator.url);
    const { worker } = liar.welcome;
    const rowOf = (id: string) => coordinator.loop.workers(run).find((row) => row.id === id)!;
    const lease = await liar.lease();
    await liar.push(lease, new Float32Array(lease.theta.length).fill(0.01));
    await vi.waitUntil(() => rowOf(worker).standing.level === 'banned', { timeout: 30_000 });
    expect(rowOf(worker).standing.banned).toMatch(/computed again/);
    const honest = () => coordinator.loop.workers(run).filter(({ id }) => id !== worker);
    await vi.waitUntil(() => honest().some(({ standing }) => standing.checked >= 20), { timeout: 60_000 });
    expect(honest().map(({ standing }) => standing.failed)).toEqual([0, 0]);
    expect((await liar.request('/leases', { method: 'POST' })).status).toBe(401);
    await volunteers.stop();
    await coordinator.close();
  }, 120_000);
});
