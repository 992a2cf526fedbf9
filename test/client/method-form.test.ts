// The form that changes a method: what is in it at first, what fits, and the request that is made of it.

import { describe, expect, it } from 'vitest';
import {
  entriesFor,
  expectation,
  fieldsOf,
  firstEntries,
  requestOf,
  valueOf,
  type NumberField,
} from '../../client/dashboard/method-form.ts';
import type { MethodInfo } from '../../client/dashboard/methods.ts';
import { loadMethods } from '../../server/registry.ts';
import { aRun } from './fixtures.ts';

const METHODS = await loadMethods();

const infoOf = (name: string): MethodInfo => {
  const { title, summary, paper, hyperparameters } = METHODS.get(name)!;
  const listed = Object.entries(hyperparameters).map(([key, parameter]) => ({ name: key, ...parameter }));
  return { name, title, summary, paper, hyperparameters: listed };
};
const GBA = infoOf('gba');
const STALENESS_AWARE = infoOf('staleness-aware');
const run = aRun({
  method: 'staleness-aware',
  hyperparameters: { momentum: 0.5 },
  learningRate: 0.005,
  learningRatePeak: 0.05,
  weightDecay: 1e-7,
});
const field = (bounds: Partial<NumberField>): NumberField => ({
  kind: 'number',
  name: 'x',
  symbol: 'x',
  description: '',
  ...bounds,
});

describe('the method form', () => {
  it('starts with what the run has: the peak of the learning rate, not what the schedule makes of it now', () => {
    expect(firstEntries(STALENESS_AWARE, run)).toEqual({ learningRate: '0.05', weightDecay: '1e-7', momentum: '0.5' });
  });

  it('gives another method its defaults, and keeps what was typed for all', () => {
    const typed = { learningRate: '0.1', weightDecay: '0', momentum: '0.7' };
    const entries = entriesFor(GBA, run, typed);
    expect(Object.keys(entries)).toEqual(fieldsOf(GBA).map(({ name }) => name));
    expect(entries).toMatchObject({ learningRate: '0.1', weightDecay: '0' });
    for (const { name, default: usual } of GBA.hyperparameters) expect(entries[name]).toBe(String(usual));
    expect(entriesFor(STALENESS_AWARE, run, entries)['momentum']).toBe('0.5');
  });

  it('asks with numbers as numbers and choices as words', () => {
    const entries = { ...firstEntries(GBA, run), mode: 'sync' };
    expect(requestOf(GBA, entries)).toMatchObject({ name: 'gba', learningRate: 0.05, weightDecay: 1e-7, mode: 'sync' });
    expect(requestOf(GBA, { ...entries, mode: 'perhaps' })).toBeNull();
    expect(requestOf(GBA, { ...entries, learningRate: '0' })).toBeNull();
    expect(requestOf(GBA, {})).toBeNull();
  });

  it('takes what is within the bounds and nothing else', () => {
    const taken = (bounds: Partial<NumberField>, texts: string[]) =>
      texts.filter((text) => valueOf(field(bounds), text) !== null);
    expect(taken({}, ['', ' ', 'x', 'Infinity', '-2', '1e-3'])).toEqual(['-2', '1e-3']);
    expect(taken({ above: 0 }, ['0', '-1', '0.1'])).toEqual(['0.1']);
    expect(taken({ min: 0, max: 1 }, ['-0.1', '0', '1', '1.1'])).toEqual(['0', '1']);
    expect(taken({ below: 1, integer: true }, ['1', '0.5', '0'])).toEqual(['0']);
  });

  it('says the bounds in words', () => {
    expect(expectation(field({ integer: true, min: 1, max: 9 }))).toBe('a whole number, at least 1, at most 9');
    expect(expectation(field({ above: 0, below: 1 }))).toBe('a number, above 0, below 1');
  });

  it('makes a request of every method’s defaults', () => {
    for (const name of METHODS.keys()) {
      const info = infoOf(name);
      const expected = ['name', ...fieldsOf(info).map((one) => one.name)].sort();
      expect(Object.keys(requestOf(info, firstEntries(info, run)) ?? {}).sort(), name).toEqual(expected);
    }
  });
});
