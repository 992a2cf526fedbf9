// What every method must do, whatever it is, as tests of one method. Not which methods there are: suite.test.ts runs them
// over the folder, and one-file.test.ts over a method of its own.

import { expect, it } from 'vitest';
import { resolveHyperparameters, type Hyperparameter } from '../../server/core/hyperparameters.ts';
import type { Method } from '../../server/core/method.ts';
import { playTrace, type TraceEvent } from '../../server/core/trace.ts';
import { Driver, lossAt, tinyRun } from '../core/driver.ts';
import { train } from '../core/fleet.ts';
import { Lab } from './lab.ts';
import { configOf, DIM, randomTrace, startAt } from './oracle.ts';

const withTimes = (events: readonly TraceEvent[]): TraceEvent[] =>
  events.map((event, i) => ({ ...event, atMs: 10 * i }));

function play(method: Method, events: readonly TraceEvent[]) {
  const config = configOf(method.name, { learningRate: 0.01, weightDecay: 0.001 });
  return playTrace({ method, config, params: startAt(1), events });
}

/** θ after the last push of an honest worker. */
const lastPush = (results: ReturnType<typeof play>): readonly number[] =>
  results.filter(({ worker, type }) => worker !== 'bad' && type === 'push').at(-1)!.params;

function isImmediate(method: Method): boolean {
  const values = resolveHyperparameters(method.name, method.hyperparameters, configOf(method.name, {}));
  return method.axes(values, DIM).gather.immediate;
}

/** Its paper, its worked example, and what its stages make of honest, spoiled and interrupted traffic. */
export function checkMethod(method: Method): void {
  it('[A9] cites its paper: who, when, what, where to read it, and which equation', () => {
    const { authors, year, title, url, where } = method.paper;
    for (const text of [authors, title, where, method.title]) expect(text.length).toBeGreaterThan(3);
    expect(year).toBeGreaterThan(1950);
    expect(url).toMatch(/^https:\/\/\S+$/);
    expect(method.summary).toMatch(/^[A-Z].*\.$/);
  });

  it('[A9] follows its worked example', () => {
    const { config, params, steps } = method.example;
    const events = steps.map(({ event }) => event);
    const results = playTrace({ method, config: configOf(method.name, config), params, events });
    expect(steps.some(({ event }) => event.type === 'push')).toBe(true);
    steps.forEach((step, i) => {
      const message = `step ${i}: ${step.because}`;
      expect(results[i]!.params.length, message).toBe(step.params.length);
      step.params.forEach((expected, j) => {
        expect(Math.abs(results[i]!.params[j]! - expected), message).toBeLessThanOrEqual(1e-6);
      });
    });
  });

  it('[A1] NaN, infinity and all zeros leave no trace in any bit', () => {
    const bad = [NaN, Infinity, -Infinity, 0, 1e38].map((value) => new Array<number>(DIM).fill(value));
    bad.push([NaN, ...new Array<number>(DIM - 1).fill(1)]);
    const clean = withTimes(randomTrace(7, { events: 150 }));
    const isBadPush = ({ worker, type }: TraceEvent): boolean => worker === 'bad' && type === 'push';
    const spoiled = clean.flatMap((event, i): TraceEvent[] => {
      if (i % 9 !== 4) return [event];
      const about = { worker: 'bad', atMs: event.atMs };
      return [
        event,
        { type: 'pull', ...about },
        { type: 'push', vector: bad[Math.floor(i / 9) % bad.length]!, ...about },
      ];
    });
    const results = play(method, spoiled);
    const outcomes = results.flatMap((result) =>
      result.worker === 'bad' && result.type === 'push' ? result.outcome : [],
    );
    expect(outcomes.filter((outcome) => outcome === 'rejected').length).toBeGreaterThan(3);
    expect(outcomes.every((outcome) => outcome === 'rejected' || outcome === 'waiting')).toBe(true);
    const last = lastPush(results);
    expect(last.every(Number.isFinite)).toBe(true);
    // In rounds the bad worker takes part, and the others wait for it: then only its numbers leave no trace.
    const silent = spoiled.filter((event) => !isBadPush(event)); // it is there, which some methods count
    if (isImmediate(method)) expect(last).toEqual(lastPush(play(method, silent)));
  });

  it('[K1] does the same whatever its workers are called', () => {
    const names = [
      'constructor',
      '__proto__',
      'toString',
      'valueOf',
      '7',
      'hasOwnProperty',
      '__defineGetter__',
      'then',
    ];
    const events = withTimes(randomTrace(4, { events: 200 }));
    const workers = [...new Set(events.map(({ worker }) => worker))];
    const called = (worker: string): string => names[workers.indexOf(worker)]!;
    expect(workers.length).toBeLessThanOrEqual(names.length);
    const renamed = events.map((event) => ({ ...event, worker: called(event.worker) }));
    const params = (played: readonly TraceEvent[]) => play(method, played).map((result) => result.params);
    expect(params(renamed)).toEqual(params(events));
  });

  it('[T5] gives the same bits for the same events', () => {
    const events = withTimes(randomTrace(3, { events: 200 }));
    expect(play(method, events)).toEqual(play(method, events));
  });

  it('[T7] stopped in mid-run and gone on with from its state, leaves the bits of an uninterrupted run', () => {
    for (const stopAt of [1, 37, 120]) {
      const whole = new Lab(method, 5);
      whole.act(stopAt);
      const saved = whole.save();
      whole.act(200);
      const fresh = new Lab(method, 5);
      fresh.resume(saved);
      fresh.act(200);
      expect(fresh.aggregator.theta).toEqual(whole.aggregator.theta);
      expect(fresh.aggregator.version).toBe(whole.aggregator.version);
      expect(fresh.aggregator.state()).toEqual(whole.aggregator.state());
      expect(whole.aggregator.version).toBeGreaterThan(8);
    }
  });

  it('[A9] goes down on a noisy quadratic with eight workers of random speeds', () => {
    const hyperparameters = { learningRate: 0.005 }; // momentum without any remedy diverges at four times that
    const driver = new Driver(tinyRun(method, { shards: [8000, 8000], config: { epochs: 1 }, hyperparameters }));
    const before = lossAt(driver.theta());
    train(driver, { workers: 8, seed: 2, noise: 0.1 });
    expect(driver.summary()).toMatchObject({ status: 'finished', samples: 16_000 });
    expect(lossAt(driver.theta())).toBeLessThan(0.5 * before);
  });
}

/** Defaults that fit, and one sentence for what does not. */
export function checkHyperparameters(method: Method): void {
  const resolve = (values: Record<string, unknown>) => {
    const config = configOf(method.name, values as Record<string, number>);
    return resolveHyperparameters(method.name, method.hyperparameters, config);
  };
  const declared = Object.entries(method.hyperparameters as Record<string, Hyperparameter>);

  it('[A10] have defaults that fit, and words', () => {
    const values = resolve({}) as Record<string, unknown>;
    for (const [name, { default: value, description }] of declared) {
      expect(values[name]).toBe(value);
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });

  it.each(['momentun', 'constructor', 'toString', '__proto__x'])(
    '[A10] refuse "%s" by name, and say what there is',
    (key) => {
      expect(() => resolve({ [key]: 1 })).toThrow(
        `method "${method.name}" has no hyper-parameter "${key}"; it has learningRate`,
      );
    },
  );

  it('[A10] refuse what is out of bounds, with the name, the value and what was expected', () => {
    for (const [name, parameter] of declared) {
      const wrong: unknown[] = ['text', NaN, true, null];
      if (parameter.kind === 'number') {
        wrong.pop(); // null is the same as absent
        wrong.push(Infinity);
        if (parameter.min !== undefined) wrong.push(parameter.min - 1);
        if (parameter.max !== undefined) wrong.push(parameter.max + 1);
        if (parameter.below !== undefined) wrong.push(parameter.below);
        if (parameter.integer) wrong.push(parameter.default + 0.5);
      } else wrong.pop();
      for (const value of wrong) {
        const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
        expect(() => resolve({ [name]: value })).toThrow(`method "${method.name}": ${name} is ${shown}, expected `);
      }
    }
  });
}
