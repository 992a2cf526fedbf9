// A trace of explicit events, where it meets what a live coordinator would answer or a method would leave out.

import { expect, it } from 'vitest';
import type { Method } from '../../server/core/method.ts';
import { playTrace, type TraceEvent, type TraceResult } from '../../server/core/trace.ts';
import asgd from '../../server/methods/asgd.ts';
import dcAsgd from '../../server/methods/dc-asgd.ts';
import gba from '../../server/methods/gba.ts';
import slowmo from '../../server/methods/slowmo.ts';
import ssgd from '../../server/methods/ssgd.ts';
import { methodSchema } from '../../shared/config.ts';

const pull = (worker: string): TraceEvent => ({ type: 'pull', worker });
const push = (worker: string, value = 1, samples = 1): TraceEvent => ({
  ...{ type: 'push', worker, vector: [value], samples },
});
const leave = (worker: string): TraceEvent => ({ type: 'leave', worker });

function play(method: Method, values: object, events: TraceEvent[]): TraceResult[] {
  const config = methodSchema.parse({ name: method.name, learningRate: 0.5, ...values });
  return playTrace({ method, config, params: [1], events, samplesPerEpoch: 2, precision: 'float64' });
}

it('[A17] goes on after a push that a live coordinator refuses: a second for one pull, or one for none', () => {
  const first = [push('a'), pull('a'), push('a'), push('a', 9)];
  const later = [pull('a'), leave('a'), push('a', 9), pull('a'), push('a')];
  const pushes = play(asgd, {}, [...first, ...later]).filter(({ type }) => type === 'push');
  const about = { type: 'push', worker: 'a', lag: 0, gap: 0 };
  expect(pushes).toEqual([
    { ...about, index: 0, outcome: 'rejected', reason: 'unknown-lease', version: 0, params: [1] },
    { ...about, index: 2, outcome: 'applied', version: 1, params: [0.5] },
    { ...about, index: 3, outcome: 'rejected', reason: 'repeated', version: 1, params: [0.5] },
    { ...about, index: 6, outcome: 'rejected', reason: 'unknown-lease', version: 1, params: [0.5] },
    { ...about, index: 8, outcome: 'applied', version: 2, params: [0] },
  ]);
});

it('[A17] takes a push after a refused one as the second for its pull', () => {
  const results = play(asgd, {}, [pull('a'), push('a', NaN), push('a'), pull('a'), push('a')]);
  expect(results.map((result) => ('reason' in result ? result.reason : null))).toEqual([null, 'not-finite', 'repeated', null, null]); // prettier-ignore
});

it('[A8] ends a round by a push that is refused, as a live coordinator does: whoever waits is in the next', () => {
  const results = play(ssgd, {}, [pull('a'), pull('b'), push('a'), pull('a'), push('b', NaN), push('a', 3)]);
  expect(results[3]).toMatchObject({ outcome: 'waiting' });
  const served = [{ worker: 'a', version: 1, params: [0.5] }];
  expect(results[4]).toMatchObject({ outcome: 'rejected', version: 1, params: [0.5], served });
  expect(results[5]).toMatchObject({ outcome: 'applied', version: 2, params: [-1] });
});

it('[A8] ends a round by a worker that pulls again instead of pushing', () => {
  const results = play(ssgd, {}, [pull('a'), pull('b'), push('a'), pull('a'), pull('b')]);
  expect(results[3]).toMatchObject({ outcome: 'waiting', params: [] });
  expect(results[4]).toMatchObject({ version: 1, params: [0.5], served: [{ worker: 'a', version: 1, params: [0.5] }] });
});

it('[A1] refuses a gradient whose compensation has left what θ can bear', () => {
  const pulls = ['a', 'b', 'c', 'd'].map(pull);
  const pushes = ['a', 'b', 'c', 'd'].map((worker) => push(worker, 1e12));
  const config = methodSchema.parse({ name: 'dc-asgd', learningRate: 0.1 });
  const results = playTrace({ method: dcAsgd, config, params: [0], events: [...pulls, ...pushes] });
  expect(results.slice(5)).toMatchObject(
    [1, 2, 3].map(() => ({ outcome: 'rejected', reason: 'too-large', version: 1 })),
  );
  expect(results.at(-1)!.params.every(Number.isFinite)).toBe(true);
});

it('[A13] says which pushes of GBA counted for nothing', () => {
  const events = [pull('slow'), pull('a'), push('a'), push('slow')];
  const results = play(gba, { bufferSize: 1, maxStaleness: 0 }, events);
  expect(results[2]).not.toHaveProperty('reason');
  expect(results[3]).toMatchObject({ outcome: 'applied', reason: 'past-token', version: 2, params: [0.5] });
});

it('[A18] gives a round the learning rates of its pulls, by samples', () => {
  const schedule = { decay: { kind: 'step', epochs: [1], factor: 0.1 } };
  const values = { schedule, outerLearningRate: 1, outerMomentum: 0.5 };
  // The first round's push ends the epoch: by then the rate is a tenth of that of its pull.
  const results = play(slowmo, values, [pull('a'), push('a', 1, 2), pull('a'), push('a', 1)]);
  expect(results[1]!.params[0]).toBeCloseTo(0, 12);
  expect(results[3]!.params[0]).toBeCloseTo(-0.05 * (0.5 * (1 / 0.5) + 1 / 0.05), 12);
});
