// The learning rate by epochs.

import { expect, it } from 'vitest';
import { learningRateAt, type Schedule } from '../../shared/schedule.ts';

const at = (epochs: number, schedule: Schedule): number => learningRateAt(epochs, 0.4, schedule);

it('[T6] constant, or nothing said: the peak for ever', () => {
  for (const schedule of [{}, { decay: { kind: 'constant' } }] as const) {
    expect([0, 0.5, 100].map((epochs) => at(epochs, schedule))).toEqual([0.4, 0.4, 0.4]);
  }
});

it('[T6] warm-up: linear from a fraction of the peak to the peak', () => {
  const schedule: Schedule = { warmup: { epochs: 2, from: 0.25 } };
  expect(at(0, schedule)).toBeCloseTo(0.1, 12);
  expect(at(1, schedule)).toBeCloseTo(0.25, 12);
  expect(at(2, schedule)).toBe(0.4);
  expect(at(3, schedule)).toBe(0.4);
});

it('[T6] step: times the factor at each epoch named, from that epoch on', () => {
  const schedule: Schedule = { decay: { kind: 'step', epochs: [8, 12], factor: 0.1 } };
  expect(at(7.999, schedule)).toBe(0.4);
  expect(at(8, schedule)).toBeCloseTo(0.04, 12);
  expect(at(20, schedule)).toBeCloseTo(0.004, 12);
});

it('[T6] cosine: down to the floor at its epoch, and constant after', () => {
  const schedule: Schedule = { decay: { kind: 'cosine', epochs: 10, floor: 0.1 } };
  expect(at(0, schedule)).toBeCloseTo(0.4, 12);
  expect(at(5, schedule)).toBeCloseTo(0.22, 12);
  expect(at(10, schedule)).toBeCloseTo(0.04, 12);
  expect(at(15, schedule)).toBeCloseTo(0.04, 12);
});

it('[T6] warm-up, then cosine from the end of the warm-up: no jump between them, and never above the peak', () => {
  const schedule: Schedule = { warmup: { epochs: 2, from: 0 }, decay: { kind: 'cosine', epochs: 10, floor: 0 } };
  expect(at(0, schedule)).toBeCloseTo(4e-7, 12); // not quite 0: local steps would lead nowhere
  expect(at(2, schedule)).toBeCloseTo(0.4, 12);
  expect(at(6, schedule)).toBeCloseTo(0.2, 12);
  expect(Math.abs(at(2 - 1e-6, schedule) - at(2 + 1e-6, schedule))).toBeLessThan(1e-6);
  for (let epochs = 0; epochs < 12; epochs += 0.01) expect(at(epochs, schedule)).toBeLessThanOrEqual(0.4);
});

it('[T6] a warm-up that lasts as long as the cosine ends at the floor, not at NaN', () => {
  const schedule: Schedule = { warmup: { epochs: 3, from: 0 }, decay: { kind: 'cosine', epochs: 3, floor: 0.5 } };
  expect(at(4, schedule)).toBeCloseTo(0.2, 12);
});
