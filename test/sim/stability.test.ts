// [E5] The event simulator against theory: see server/sim/experiments/e5.ts.

import { expect, test } from 'vitest';
import { erlangBound, floorOf, ROUND_ROBIN } from '../../server/sim/experiments/e5.ts';
import { criticalLoad, noiseFloor } from '../../server/sim/experiments/stability.ts';
import { methodNamed } from '../../server/registry.ts';
import { criticalByEquation } from './characteristic.ts';
import { methods } from './rig.ts';

const CASES = Object.entries(ROUND_ROBIN).flatMap(([name, table]) => [4, 8].map((n) => [name, n, table[n]!] as const));

test.each(Object.entries(ROUND_ROBIN))('the loads of %s solve its characteristic equation', (name, table) => {
  expect(Object.keys(table)).toEqual(['4', '8', '16', '32', '64']);
  for (const [workers, expected] of Object.entries(table)) {
    expect(criticalByEquation(name, Number(workers)), `N = ${workers}`).toBeCloseTo(expected, 4);
  }
});

test.each(CASES)('%s with %i workers in turn diverges at the load %f', async (name, workers, expected) => {
  const trial = { method: methodNamed(methods, name), set: { momentum: 0.9 }, workers, taskVariation: 0 };
  const found = await criticalLoad(trial, expected, { within: 0.1, rounds: 160 });
  expect(Math.abs(found! / expected - 1)).toBeLessThan(0.005);
});

test.each([4, 16])('without momentum, %i workers in turn diverge at 2N·sin(π/(2(2N − 1)))', async (workers) => {
  const expected = 2 * workers * Math.sin(Math.PI / (2 * (2 * workers - 1)));
  const trial = { method: methodNamed(methods, 'asgd'), workers, taskVariation: 0 };
  const found = await criticalLoad(trial, expected, { within: 0.1, rounds: 120 });
  expect(Math.abs(found! / expected - 1)).toBeLessThan(0.002);
});

test('with Gamma(100) times the bound is Erlang’s, within 8 %', async () => {
  const trial = { method: methodNamed(methods, 'asgd'), workers: 32, taskVariation: 0.1 };
  const found = await criticalLoad(trial, erlangBound(100), { within: 0.2, rounds: 120 });
  expect(Math.abs(found! / erlangBound(100) - 1)).toBeLessThan(0.08);
});

test('a load out of reach is not found', async () => {
  const trial = { method: methodNamed(methods, 'asgd'), workers: 8, taskVariation: 0 };
  expect(await criticalLoad(trial, 0.5, { within: 0.1, rounds: 60 })).toBeNull();
});

test('the noise floor rises with the load as theory says, within 20 %', async () => {
  const loads = [0.37, 0.7, 1];
  const trial = { method: methodNamed(methods, 'asgd'), workers: 32, taskVariation: 0.1 };
  const floors = await noiseFloor(trial, loads, 250);
  loads.forEach((load, i) => expect(Math.abs(floors[i]! / floorOf(load, 32) - 1)).toBeLessThan(0.2));
});
