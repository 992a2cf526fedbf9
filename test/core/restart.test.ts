// A run stopped at random moments of random events and gone on with, under every method: what it costs.

import { describe, expect, it } from 'vitest';
import type { RunSnapshot } from '../../server/core/snapshot.ts';
import { loadMethods } from '../../server/registry.ts';
import { rng } from '../../shared/rng.ts';
import { Driver, RUN } from './driver.ts';
import { Fuzz } from './fuzz.ts';
import { outcome, playOn, stopAndResume } from './restart.ts';
import { at, put, type Tree } from './tree.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);
const methods = [...(await loadMethods()).values()];

describe.each(methods)('a stop in mid-run under $name', (method) => {
  it('[K1] [D1] at any moment costs nothing but the open leases: the same bits, every sample once', () => {
    for (const seed of SEEDS) {
      const steps = 1 + rng(`stop/${seed}`).below(220);
      const { stayed, resumed } = stopAndResume(method, seed, { steps });
      playOn(stayed);
      playOn(resumed);
      const { samples, samplesPerEpoch } = resumed.summary();
      expect([seed, samples]).toEqual([seed, 2 * samplesPerEpoch]);
      expect([seed, outcome(resumed)]).toEqual([seed, outcome(stayed)]);
    }
  });

  it('[K1] [A15] also after the method was changed', () => {
    const other = methods[(methods.indexOf(method) + 5) % methods.length]!;
    for (const seed of SEEDS.slice(0, 4)) {
      const { stayed, resumed } = stopAndResume(method, seed, { steps: 40 + 20 * seed, other });
      playOn(stayed);
      playOn(resumed);
      expect([seed, outcome(resumed)]).toEqual([seed, outcome(stayed)]);
    }
  });

  it('[K2] is written down again as it was, and changed nothing', () => {
    for (const seed of SEEDS.slice(0, 4)) {
      const fuzz = new Fuzz(method, seed);
      for (let i = 0; i < 40 * seed; i++) fuzz.step();
      const first = fuzz.driver.snapshot();
      expect(fuzz.driver.snapshot()).toEqual(first);
      const again = Driver.resumed(fuzz.driver.coordinator.setup(RUN), first, { nowMs: 77, boot: 1 }).snapshot();
      expect(again.state).toEqual(first.state);
      expect(lasting(again)).toEqual(lasting(first));
      for (let i = 0; i < 40; i++) fuzz.step(); // throws where an invariant is broken
    }
  });
});

it.each<[string, Record<string, number | string>]>([
  ['fedbuff', { robust: 'median', localSteps: 2 }],
  ['fedbuff', { robust: 'centered-clipping', localSteps: 2 }],
  ['ssgd', { robust: 'trimmed-mean' }],
  ['gba', { robust: 'median', mode: 'auto', bufferSize: 3 }],
])('[K1] [G10] a stop in mid-run under %s with %o costs no bit', (name, values) => {
  const method = methods.find((one) => one.name === name)!;
  for (const seed of SEEDS) {
    const { stayed, resumed } = stopAndResume(method, seed, { steps: 5 + 9 * seed, values });
    playOn(stayed);
    playOn(resumed);
    expect([seed, outcome(resumed)]).toEqual([seed, outcome(stayed)]);
  }
});

/** What is the same after a restart: not the boot, when a worker was last heard, or when the measurement was begun. */
function lasting({ facts, version, ended }: RunSnapshot): object {
  const kept = structuredClone(facts) as Tree;
  put(kept, 'boot', 0);
  put(kept, 'evaluation.begun', 0);
  (at(kept, 'sessions.workers') as Tree[]).forEach((worker) => put(worker, 'lastSeenMs', 0));
  return { kept, version, ended };
}
