// Fleets: how long tasks take, and what faulty workers send.

import { expect, test } from 'vitest';
import type { FAULTS } from '../../server/sim/byzantine.ts';
import { faultOf, Grapevine, Liar } from '../../server/sim/byzantine.ts';
import { HETEROGENEOUS, HOMOGENEOUS, slowness, taskMs, VOLUNTEERS, type Fleet } from '../../server/sim/fleet.ts';
import { rng } from '../../shared/rng.ts';

/** The times of `tasks` tasks on each of `machines` machines, for a mean of 1. */
function times({ machines, taskVariation }: Fleet, counts: { machines: number; tasks: number }): number[] {
  return Array.from({ length: counts.machines }, (_, index) => {
    const random = rng(`machine/${index}`);
    const mean = slowness(machines, index, random);
    return Array.from({ length: counts.tasks }, () => taskMs(mean, taskVariation, random));
  }).flat();
}

const share = (values: readonly number[], of: (value: number) => boolean): number =>
  values.filter(of).length / values.length;
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test('homogeneous: Gamma(100) is over 1.25 times its mean with probability 0.0094', () => {
  const drawn = times(HOMOGENEOUS, { machines: 10, tasks: 40_000 });
  expect(share(drawn, (ms) => ms > 1.25)).toBeCloseTo(0.0094, 3);
  expect(meanOf(drawn)).toBeCloseTo(1, 2);
});

test('heterogeneous: V_mach 0.6 and V_task 0.1 are over 1.25 times the mean with probability 0.279', () => {
  const drawn = times(HETEROGENEOUS, { machines: 200_000, tasks: 1 });
  expect(Math.abs(share(drawn, (ms) => ms > 1.25) - 0.279)).toBeLessThan(0.004);
  expect(meanOf(drawn)).toBeCloseTo(1, 1);
});

test('volunteers: median 1, and a factor of ten between the fastest and the slowest twentieth', () => {
  const drawn = times(VOLUNTEERS, { machines: 100_000, tasks: 1 }).sort((a, b) => a - b);
  expect(drawn[50_000]).toBeCloseTo(1, 1);
  expect(drawn[95_000]! / drawn[5_000]!).toBeGreaterThan(9);
});

test('given speeds are taken in turn', () => {
  const machines = { kind: 'given', speeds: [4, 2] } as const;
  expect([0, 1, 2].map((index) => slowness(machines, index, rng(1)))).toEqual([0.25, 0.5, 0.25]);
});

test('the first workers have the faults, in order', () => {
  const faulty = [
    { fault: 'nan', workers: 1 },
    { fault: 'sign-flip', workers: 2 },
  ] as const;
  expect([0, 1, 2, 3].map((index) => faultOf(index, faulty)?.fault ?? null)).toEqual([
    'nan',
    'sign-flip',
    'sign-flip',
    null,
  ]);
});

test('every fault but label flips and false losses changes the gradient, as it says', () => {
  const grapevine = new Grapevine();
  const liar = new Liar(rng('lies'), grapevine);
  const made = (fault: (typeof FAULTS)[number]): Float32Array => {
    const vector = Float32Array.of(1, -2, 3);
    liar.corrupt(vector, fault);
    return vector;
  };
  expect([...made('sign-flip')]).toEqual([-1, 2, -3]);
  expect([...made('times-ten')]).toEqual([10, -20, 30]);
  expect([...made('constant')]).toEqual([1, 1, 1]);
  expect([...made('nan')].filter(Number.isNaN)).toHaveLength(1);
  expect(Math.hypot(...made('noise'))).toBeGreaterThan(10);
  expect([...made('label-flip')]).toEqual([1, -2, 3]);
  expect([...made('false-loss')]).toEqual([1, -2, 3]);
  expect([...made('lazy-noise')]).not.toEqual([1, -2, 3]);
  expect(Math.hypot(...made('lazy-noise'))).toBeLessThan(10);
  expect([...made('copy')]).toEqual([1, -2, 3]); // nothing was heard yet
  grapevine.heard(Float32Array.of(7, 8, 9));
  expect([...made('copy')]).toEqual([7, 8, 9]);
  expect([...made('replay')]).toEqual([1, -2, 3]);
  const later = Float32Array.of(4, 4, 4);
  liar.corrupt(later, 'replay');
  expect([...later]).toEqual([1, -2, 3]);
});
