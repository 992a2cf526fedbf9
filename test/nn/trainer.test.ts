// The trainer: a lease's batches become one mean gradient, and garbage becomes a named error.

import { beforeAll, expect, test } from 'vitest';
import { Trainer, UnusableGradientError, type LeasedWork } from '../../shared/nn/trainer.ts';
import type { Batch } from '../../shared/data/spec.ts';
import { gradientFault } from '../../shared/nn/loss.ts';
import { useBackend } from './backends.ts';
import { relativeError } from './compare.ts';
import { problemOf, SCALE, smallModel } from './problems.ts';

beforeAll(() => useBackend('wasm'));

const { model, layout, network, theta, samples } = problemOf(smallModel('mlp'), 24);
const whole: Batch = { shard: 0, start: 0, count: 24, offset: 7, stride: 5 };
const leasedWork = (batches: readonly Batch[], at = theta): LeasedWork => ({
  work: { kind: 'gradient' },
  batches,
  theta: at,
});
const trainer = new Trainer({ model, layout, scale: SCALE });
const shardOf = () => samples;

test('one batch: the gradient and loss of exactly its samples', async () => {
  const expected = new Float32Array(layout.dim);
  const { loss } = await network.gradient(theta, samples, expected);
  const contribution = await trainer.compute(leasedWork([whole]), shardOf); // all samples, in another order
  expect(contribution.samples).toBe(24);
  expect(contribution.loss).toBeCloseTo(loss, 5);
  expect(relativeError(contribution.vector, expected)).toBeLessThan(1e-5);
});

test('several batches of unequal size weigh by their samples, and name their shards', async () => {
  const together = await trainer.compute(leasedWork([whole]), shardOf);
  const expected = together.vector.slice();
  const asked: number[] = [];
  const parts = [
    { ...whole, count: 19 },
    { ...whole, shard: 3, start: 19, count: 5 },
  ];
  const apart = await trainer.compute(leasedWork(parts), (index) => (asked.push(index), samples));
  expect(asked).toEqual([0, 3]);
  expect(apart.samples).toBe(24);
  expect(apart.loss).toBeCloseTo(together.loss, 5);
  expect(relativeError(apart.vector, expected)).toBeLessThan(1e-5);
});

test('θ is not changed, and the vector is the same memory every time', async () => {
  const before = theta.slice();
  const first = await trainer.compute(leasedWork([whole]), shardOf);
  const second = await trainer.compute(leasedWork([{ ...whole, count: 8 }]), shardOf);
  expect(second.vector).toBe(first.vector);
  expect(theta).toEqual(before);
});

test('a gradient that is not finite is an error with that name', async () => {
  const poisoned = theta.slice();
  poisoned[3] = Infinity;
  const error: unknown = await trainer
    .compute(leasedWork([whole], poisoned), shardOf)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnusableGradientError);
  expect(error).toMatchObject({ name: 'UnusableGradientError', fault: 'non-finite' });
});

test('a gradient of zeros is an error with that name', async () => {
  const certain = new Float32Array(layout.dim);
  certain[layout.entries.at(-1)!.offset] = 200; // the first class's bias: its softmax is exactly 1
  const ofFirstClass = { ...samples, labels: new Uint8Array(samples.count) };
  const leased = leasedWork([whole], certain);
  await expect(trainer.compute(leased, () => ofFirstClass)).rejects.toMatchObject({ fault: 'all-zero' });
});

test('a loss that is not finite makes the gradient unusable, a small gradient does not', () => {
  expect(gradientFault(Float32Array.of(1), NaN)).toBe('non-finite');
  expect(gradientFault(Float32Array.of(0, 1e-30), 0.1)).toBeNull();
  expect(gradientFault(Float32Array.of(0, 2e12), 0.1)).toBe('too-large'); // the coordinator would refuse it
});

test('local steps: a step on each batch in turn, back as θ_base − θ_local, with the mean loss on the way', async () => {
  const batches = [0, 8, 16].map((start): Batch => ({ ...whole, start, count: 8 }));
  const learningRate = 0.1;
  const local = { kind: 'local', optimizer: { name: 'sgd' }, learningRate, weightDecay: 0, seed: 1 } as const;
  const x = theta.slice();
  let lossSum = 0;
  for (const batch of batches) {
    const { vector, loss } = await trainer.compute(leasedWork([batch], x), shardOf);
    for (let i = 0; i < x.length; i++) x[i] = x[i]! - learningRate * vector[i]!;
    lossSum += loss;
  }
  const expected = theta.map((value, i) => value - x[i]!);
  const { vector, loss, samples: count } = await trainer.compute({ work: local, batches, theta }, shardOf);
  expect(count).toBe(24);
  expect(loss).toBeCloseTo(lossSum / 3, 5);
  expect(relativeError(vector, expected)).toBeLessThan(1e-4);
});

test('local steps stop at a gradient that is no use, and leave θ as it was', async () => {
  const poisoned = theta.slice();
  poisoned[3] = Infinity;
  const local = { kind: 'local', optimizer: { name: 'sgd' }, learningRate: 0.1, weightDecay: 0, seed: 1 } as const;
  const before = poisoned.slice();
  const computing = trainer.compute({ work: local, batches: [whole], theta: poisoned }, shardOf);
  await expect(computing).rejects.toMatchObject({ fault: 'non-finite' });
  expect(poisoned).toEqual(before);
});
