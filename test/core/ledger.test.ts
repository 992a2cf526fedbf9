// Samples counted exactly once, whatever happens to the leases.

import { describe, expect, it } from 'vitest';
import { Ledger, type WorkItem } from '../../server/core/ledger.ts';
import { shardBatches } from '../../server/core/plan.ts';
import { rng } from '../../shared/rng.ts';
import type { Batch } from '../../shared/data/spec.ts';
import fc from '../property.ts';

const ledgerOf = (shards: readonly number[], batchSize: number, epochs: number, seed = 1): Ledger =>
  new Ledger({ shards, batchSize, epochs, random: rng(seed) });

/** The samples a batch names, as (shard, index) texts. */
function samplesOf({ shard, start, count, offset, stride }: Batch, shardCount: number): string[] {
  return Array.from({ length: count }, (_, j) => `${shard}/${(offset + (start + j) * stride) % shardCount}`);
}

describe('the order of the data', () => {
  it('[D3] the batches of a shard visit each of its samples once an epoch, and only the last is short', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 90 }),
        fc.nat(5),
        (count, size, epoch) => {
          const batches = shardBatches(rng(1), { epoch, shard: 3, count, batchSize: size });
          const seen = batches.flatMap((batch) => samplesOf(batch, count));
          expect(seen.length).toBe(count);
          expect(new Set(seen).size).toBe(count);
          expect(batches.slice(0, -1).every((batch) => batch.count === size)).toBe(true);
        },
      ),
    );
  });

  it('[D2] is the same for the same seed, and another for another seed or epoch', () => {
    const order = (seed: number, epoch: number) =>
      shardBatches(rng(seed), { epoch, shard: 0, count: 997, batchSize: 64 });
    expect(order(1, 0)).toEqual(order(1, 0));
    expect(order(2, 0)).not.toEqual(order(1, 0));
    expect(order(1, 1)).not.toEqual(order(1, 0));
  });

  it('[D2] does not depend on who asks', () => {
    const all = (workers: readonly string[]): string[] => {
      const ledger = ledgerOf([9, 7, 5], 3, 1);
      const taken: string[] = [];
      for (let i = 0; ; i++) {
        const item = ledger.take(workers[i % workers.length]!);
        if (!item) return taken.sort();
        taken.push(JSON.stringify(item.batches));
      }
    };
    expect(all(['a', 'b', 'c'])).toEqual(all(['z']));
  });
});

describe('the ledger', () => {
  it('[D4] keeps a worker on its shard while it has work, and spreads workers over shards', () => {
    const ledger = ledgerOf([8, 8, 8], 4, 2);
    const shard = (worker: string): number => ledger.take(worker)!.batches[0]!.shard;
    const first = ['a', 'b', 'c'].map(shard);
    expect(new Set(first).size).toBe(3);
    expect(['a', 'b', 'c'].map(shard)).toEqual(first);
  });

  it('[D5] begins an epoch when all of the one before is leased, counted or not', () => {
    const ledger = ledgerOf([4], 2, 2);
    const items = ['a', 'b', 'c'].map((worker) => ledger.take(worker)!);
    expect(items.map(({ epoch }) => epoch)).toEqual([0, 0, 1]);
    expect(ledger.epoch).toBe(1);
    expect(ledger.accounts).toEqual([
      { epoch: 0, leased: 4, counted: 0 },
      { epoch: 1, leased: 2, counted: 0 },
    ]);
  });

  it('[L8] gives back what was returned before anything new', () => {
    const ledger = ledgerOf([8], 2, 1);
    const first = ledger.take('a')!;
    ledger.take('b');
    ledger.giveBack(first);
    expect(ledger.take('c')).toBe(first);
  });

  it('[L11] gives an overdue item to anybody but its holder', () => {
    const ledger = ledgerOf([2], 2, 1);
    const item = ledger.take('a')!;
    ledger.reissue(item);
    expect(ledger.take('a', [item])).toBeNull();
    expect(ledger.take('b')).toBe(item);
    expect(item.holders).toBe(2);
  });

  it('[D1] counts an item that two workers land once', () => {
    const ledger = ledgerOf([2], 2, 1);
    const item = ledger.take('a')!;
    ledger.reissue(item);
    ledger.take('b');
    expect([ledger.land(item), ledger.land(item)]).toEqual([true, false]);
    expect(ledger.accounts).toEqual([{ epoch: 0, leased: 0, counted: 2 }]);
    expect(ledger.counted).toBe(2);
  });

  it('[D1] says when it has nothing left, and is complete only when all is counted', () => {
    const ledger = ledgerOf([3], 2, 1);
    const [a, b] = [ledger.take('a')!, ledger.take('a')!];
    expect(ledger.take('a')).toBeNull();
    ledger.land(a);
    expect(ledger.complete).toBe(false);
    ledger.land(b);
    expect(ledger.complete).toBe(true);
    expect(ledger.counted).toBe(3);
  });
});

type Op = { readonly kind: 'take' | 'giveBack' | 'reissue' | 'land'; readonly pick: number };
const ops = fc.array(
  fc.record({
    kind: fc.constantFrom<Op['kind']>('take', 'take', 'land', 'land', 'giveBack', 'reissue'),
    pick: fc.nat(1000),
  }),
  { maxLength: 200 },
);

describe('[D1] under any interleaving of taking, giving back, issuing again and landing', () => {
  it('[D1] every sample of every epoch is counted exactly once, and no account is ever negative', () => {
    const shapes = fc.record({
      shards: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      batchSize: fc.integer({ min: 1, max: 5 }),
      epochs: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(shapes, ops, ({ shards, batchSize, epochs }, list) => {
        const ledger = ledgerOf(shards, batchSize, epochs);
        const counts = new Map<string, number>();
        const held: WorkItem[] = []; // once for every lease
        const land = (item: WorkItem): void => {
          if (!ledger.land(item)) return;
          for (const batch of item.batches) {
            for (const sample of samplesOf(batch, shards[batch.shard]!)) {
              const key = `${item.epoch}/${sample}`;
              counts.set(key, (counts.get(key) ?? 0) + 1);
            }
          }
        };
        const check = (): void => {
          for (const { leased, counted } of ledger.accounts) {
            expect(leased).toBeGreaterThanOrEqual(0);
            expect(leased + counted).toBeLessThanOrEqual(ledger.samplesPerEpoch);
          }
          const leased = new Set(held.filter(({ landed }) => !landed));
          const samples = [...leased].reduce((sum, item) => sum + item.samples, 0);
          expect(ledger.accounts.reduce((sum, account) => sum + account.leased, 0)).toBe(samples);
          expect(ledger.counted).toBe(counts.size);
        };
        for (const { kind, pick } of list) {
          const at = held.length === 0 ? -1 : pick % held.length;
          if (kind === 'take') {
            const item = ledger.take(`w${pick % 3}`);
            if (item) held.push(item);
          } else if (at >= 0) {
            if (kind === 'reissue') ledger.reissue(held[at]!);
            else if (kind === 'giveBack') ledger.giveBack(held.splice(at, 1)[0]!);
            else land(held.splice(at, 1)[0]!);
          }
          check();
        }
        for (const item of held.splice(0)) ledger.giveBack(item);
        for (let item = ledger.take('last'); item; item = ledger.take('last')) land(item);
        expect(ledger.complete).toBe(true);
        expect(counts.size).toBe(epochs * ledger.samplesPerEpoch);
        expect([...counts.values()].every((count) => count === 1)).toBe(true);
        expect(ledger.accounts.every(({ leased, counted }) => leased === 0 && counted === ledger.samplesPerEpoch)).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });
});
