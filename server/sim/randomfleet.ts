// A whole fleet drawn from one seed, faults and all: to look for trouble that nobody thought of.

import { rng } from '../../shared/rng.ts';
import { FAULTS } from './byzantine.ts';
import type { Fleet } from './fleet.ts';

/**
 * Anything from a quiet laboratory to a bad day. At least half of the workers are honest, and partitions end, so that
 * every scenario can be finished.
 */
export function randomFleet(seed: number, workers: number): Fleet {
  const random = rng(`fleet/${seed}`);
  const maybe = (chance: number, value: number): number => (random.next() < chance ? value * random.next() : 0);
  const partitions = Array.from({ length: random.below(3) }, () => {
    const fromMs = 60_000 * random.next();
    return { fromMs, untilMs: fromMs + 30_000 * random.next(), share: random.next() };
  });
  const liars = random.next() < 0.5 ? random.below(Math.floor(workers / 2) + 1) : 0;
  return {
    name: 'random',
    machines: random.next() < 0.5 ? { kind: 'gamma', variation: random.next() } : { kind: 'log-normal', sigma: 1 },
    taskVariation: 0.5 * random.next(),
    network: {
      delay: { kind: 'log-normal', medianMs: 1 + 100 * random.next(), sigma: random.next() },
      loss: maybe(0.5, 0.1),
      duplication: maybe(0.5, 0.1),
      reordering: maybe(0.5, 0.5),
      reorderMs: 500,
      partitions,
      timeoutMs: 5_000,
      detectMs: 1_000,
    },
    churn:
      random.next() < 0.5
        ? { stayMs: 20_000 + 100_000 * random.next(), awayMs: 20_000 * random.next(), crashes: random.next() }
        : null,
    byzantine: liars === 0 ? [] : [{ fault: FAULTS[random.below(FAULTS.length)]!, workers: liars }],
    arriveWithinMs: 3_000 * random.next(),
    leasesPerWorker: 1 + random.below(3),
    order: random.next() < 0.5 ? 'shuffled' : 'sharded',
  };
}
