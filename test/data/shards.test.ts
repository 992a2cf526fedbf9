// Shards: every training sample in exactly one, the same from the same seed; and batches that visit a shard once an epoch.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutShards } from '../../server/adapters/shards.ts';
import { decodeShard, gatherBatch } from '../../shared/data/shard.ts';
import type { Samples } from '../../shared/data/spec.ts';

/** Samples that say who they are: the features are the sample's number (two bytes), the label follows from it. */
function numbered(count: number): Samples {
  const features = new Uint8Array(2 * count);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    features.set([i & 255, i >> 8], 2 * i);
    labels[i] = i % 10;
  }
  return { count, sampleBytes: 2, labels, features };
}

const numbersIn = (features: Uint8Array): number[] =>
  Array.from({ length: features.length / 2 }, (_, i) => features[2 * i]! + 256 * features[2 * i + 1]!);

const ascending = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b);

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

describe('cutShards', () => {
  test('deals every sample, with its label, into exactly one shard', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 200 }), fc.nat(), (n, size, seed) => {
        const { refs, blobs } = cutShards(numbered(n), { seed, shardSamples: size });
        const shards = refs.map((ref) => decodeShard(blobs.get(ref.sha256)!));
        expect(ascending(shards.flatMap((shard) => numbersIn(shard.features)))).toEqual(
          ascending([...Array(n).keys()]),
        );
        for (const shard of shards) {
          expect(numbersIn(shard.features).map((number) => number % 10)).toEqual(Array.from(shard.labels));
        }
        expect(shards.slice(0, -1).every((shard) => shard.count === size)).toBe(true);
      }),
    );
  });

  test('names each blob by its SHA-256, and states its bytes and count', () => {
    const { refs, blobs } = cutShards(numbered(250), { seed: 1, shardSamples: 100 });
    expect(refs.map((ref) => ref.count)).toEqual([100, 100, 50]);
    for (const { sha256, bytes } of refs) {
      const blob = blobs.get(sha256)!;
      expect(createHash('sha256').update(blob).digest('hex')).toBe(sha256);
      expect(blob.byteLength).toBe(bytes);
    }
  });

  test('the same seed cuts the same shards, another seed others', () => {
    const hashes = (seed: number): string[] => cutShards(numbered(500), { seed }).refs.map((ref) => ref.sha256);
    expect(hashes(3)).toEqual(hashes(3));
    expect(hashes(3)).not.toEqual(hashes(4));
  });

  test.each([0, 1.5, NaN])('refuses shards of %d samples', (shardSamples) => {
    expect(() => cutShards(numbered(10), { seed: 1, shardSamples })).toThrow('cannot be cut');
  });
});

test('the batches of an epoch cover every sample of a shard exactly once', () => {
  fc.assert(
    fc.property(
      fc.record({
        count: fc.integer({ min: 1, max: 700 }),
        batch: fc.integer({ min: 1, max: 128 }),
        offset: fc.nat(5000),
        stride: fc.integer({ min: 1, max: 5000 }),
      }),
      ({ count, batch, offset, stride }) => {
        fc.pre(gcd(stride, count) === 1);
        const shard = numbered(count);
        const seen: number[] = [];
        for (let start = 0; start < count; start += batch) {
          const size = Math.min(batch, count - start);
          const out = { features: new Uint8Array(2 * size), labels: new Uint8Array(size) };
          gatherBatch(shard, { shard: 0, start, count: size, offset, stride }, out);
          const numbers = numbersIn(out.features);
          expect(numbers.map((number) => number % 10)).toEqual(Array.from(out.labels));
          seen.push(...numbers);
        }
        expect(ascending(seen)).toEqual([...Array(count).keys()]);
      },
    ),
  );
});

test('a stride that shares a factor with the count misses samples: coprime is needed', () => {
  const out = { features: new Uint8Array(20), labels: new Uint8Array(10) };
  gatherBatch(numbered(10), { shard: 0, start: 0, count: 10, offset: 1, stride: 4 }, out);
  expect(new Set(numbersIn(out.features)).size).toBe(5);
});
