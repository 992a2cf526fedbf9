// The coordinator under random events: a fixed list of seeds, whose failures print the seed and everything that was done.

import { describe, expect, it } from 'vitest';
import { Coordinator } from '../../server/core/coordinator.ts';
import type { Effect } from '../../server/core/events.ts';
import { loadMethods } from '../../server/registry.ts';
import { Fuzz } from './fuzz.ts';
import { RUN } from './driver.ts';

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
const STEPS = 250;
const methods = [...(await loadMethods()).values()];

/** Runs one seed; an error tells what led to it. */
function play(method: (typeof methods)[number], seed: number): Fuzz {
  const fuzz = new Fuzz(method, seed);
  try {
    for (let i = 0; i < STEPS; i++) fuzz.step();
    fuzz.finish();
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${method.name}, seed ${seed}: ${message}\nafter: ${fuzz.ops.join(' · ')}`, { cause: error });
  }
  return fuzz;
}

describe.each(methods)('$name under random events', (method) => {
  it('[D1] [L4] [A1] counts every sample once, keeps θ finite, and comes to its end', () => {
    for (const seed of SEEDS) {
      const { driver } = play(method, seed);
      const { samples, samplesPerEpoch, status } = driver.summary();
      expect([seed, status, samples]).toEqual([seed, 'finished', 2 * samplesPerEpoch]);
    }
  });

  it('[T5] the same recorded events leave the same bits in another coordinator', () => {
    for (const seed of SEEDS.slice(0, 6)) {
      const { driver } = play(method, seed);
      const replayed = new Coordinator();
      const effects: Effect[] = [];
      for (const { event, nowMs } of driver.log) {
        effects.push(
          ...replayed.handle(event.type === 'push' ? { ...event, vector: event.vector.slice() } : event, nowMs),
        );
      }
      expect(replayed.params(RUN)).toEqual(driver.coordinator.params(RUN));
      expect(replayed.summary(RUN, driver.nowMs)).toEqual(driver.summary());
      const replies = effects.filter((effect) => effect.type === 'reply');
      expect(replies.map(({ request, reply }) => [request, reply])).toEqual(
        [...driver.answers].map(([request, { reply }]) => [request, reply]),
      );
    }
  });
});
