// The methods that collect pushes, and those of local steps, against their equations in doubles on long random traces.

import { describe, expect, it } from 'vitest';
import { weightOfLag } from '../../server/core/correct.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import type { TraceEvent } from '../../server/core/trace.ts';
import { rng } from '../../shared/rng.ts';
import {
  compare,
  configOf,
  DIM,
  PRECISIONS,
  WITHIN,
  randomTrace,
  randomVector,
  type Oracle,
  type OraclePush,
} from './oracle.ts';

const methods = await loadMethods();
const SEEDS = [1, 2, 3];
const WORKERS = 4;

const zeros = (): number[] => new Array<number>(DIM).fill(0);
const axpy = (y: number[], a: number, x: readonly number[]): number[] => y.map((v, i) => v + a * x[i]!);

/** Rounds in which each worker pulls and then pushes, in a random order: what a synchronous method lives on. */
function rounds(seed: number, count = 60): TraceEvent[] {
  const random = rng(`rounds/${seed}`);
  const names = Array.from({ length: WORKERS }, (_, i) => `w${i}`);
  const shuffled = (): string[] => names.map((name) => ({ name, key: random.next() })).sort((a, b) => a.key - b.key).map(({ name }) => name); // prettier-ignore
  return Array.from({ length: count }, () => [
    ...names.map((worker): TraceEvent => ({ type: 'pull', worker })),
    ...shuffled().map((worker): TraceEvent => ({ type: 'push', worker, vector: randomVector(random), samples: 2 })),
  ]).flat();
}

/** θ moves when `size` pushes are there, by what `step` makes of their mean. */
function collecting(
  size: number,
  weigh: (push: OraclePush) => number,
  step: (theta: number[], mean: number[]) => number[],
): (theta: number[]) => Oracle {
  return (start) => {
    let sum = zeros();
    let count = 0;
    const oracle: Oracle = {
      theta: start,
      sent: () => oracle.theta,
      push: (push) => {
        sum = axpy(sum, weigh(push), push.g);
        if (++count < size) return;
        oracle.theta = step(oracle.theta, sum.map((x) => x / size)); // prettier-ignore
        sum = zeros();
        count = 0;
      },
    };
    return oracle;
  };
}

function heavyBall(epsilon: number, mu: number) {
  let u = zeros();
  return (theta: number[], mean: number[]): number[] => {
    u = axpy(mean, mu, u);
    return axpy(theta, -epsilon, u);
  };
}

function nesterov(epsilon: number, mu: number) {
  let m = zeros();
  return (theta: number[], delta: number[]): number[] => {
    m = axpy(delta, mu, m);
    return axpy(theta, -epsilon, axpy(delta, mu, m));
  };
}

function slowMomentum(eta: number, alpha: number, beta: number) {
  let u = zeros();
  return (theta: number[], delta: number[]): number[] => {
    u = u.map((x, i) => beta * x + delta[i]! / eta);
    return axpy(theta, -alpha * eta, u);
  };
}

/** θ ← (1 − αs)θ + αs·x with x where the worker has come to. */
function mixing(alpha: number, weigh: (lag: number) => number): (theta: number[]) => Oracle {
  return (start) => {
    const oracle: Oracle = {
      theta: start,
      sent: () => oracle.theta,
      push: ({ g, s, lag }) => {
        const weight = alpha * weigh(lag);
        oracle.theta = oracle.theta.map((x, i) => (1 - weight) * x + weight * (s[i]! - g[i]!));
      },
    };
    return oracle;
  };
}

/** Of Elastic Averaging SGD: 0.9 divided by those who have pulled and not left. */
function elasticAveraging(): (theta: number[]) => Oracle {
  return (start) => {
    const there = new Set<string>();
    const oracle: Oracle = {
      theta: start,
      sent: (worker) => {
        there.add(worker);
        return oracle.theta;
      },
      push: ({ g, s }) => {
        const alpha = 0.9 / there.size;
        oracle.theta = oracle.theta.map((x, i) => x + alpha * (s[i]! - g[i]! - x));
      },
      leave: (worker) => void there.delete(worker),
    };
    return oracle;
  };
}

/** Liu et al. (2024), Algorithm 3 as printed: t counts the pushes from 0. With N = 0 it is how many there are at each push. */
function delayedNesterov(epsilon: number, beta: number, size: number, c: number): (theta: number[]) => Oracle {
  return (start) => {
    let [t, m, delta] = [0, zeros(), zeros()];
    const there = new Set<string>();
    const oracle: Oracle = {
      theta: start,
      sent: (worker) => {
        there.add(worker);
        return oracle.theta;
      },
      push: ({ g }) => {
        const n = size || there.size;
        delta = axpy(delta, 1, g);
        const full = ++t >= n;
        if (full) m = delta.map((x, i) => beta * m[i]! + x / t);
        const part = full ? 1 - c * n + c : c;
        oracle.theta = oracle.theta.map((x, i) => x - epsilon * (part * beta * m[i]! + g[i]! / n));
        if (full) [t, delta] = [0, zeros()];
      },
      leave: (worker) => void there.delete(worker),
    };
    return oracle;
  };
}

/** Tokens by the order of pulling; what comes back without a push is given out again first. */
function gba(eta: number, gamma: number, size: number, iota: number): (theta: number[]) => Oracle {
  return (start) => {
    let [issued, updates, count, sum, v] = [0, 0, 0, zeros(), zeros()];
    const held = new Map<string, number>();
    const returned: number[] = [];
    const giveBack = (worker: string): void => {
      if (held.has(worker)) returned.push(held.get(worker)!);
      held.delete(worker);
    };
    const oracle: Oracle = {
      theta: start,
      sent: (worker) => {
        giveBack(worker);
        held.set(worker, returned.shift() ?? issued++);
        return axpy(oracle.theta, -eta * gamma, v);
      },
      push: ({ worker, g }) => {
        const token = Math.floor(held.get(worker)! / size);
        held.delete(worker);
        if (updates - token <= iota) sum = axpy(sum, 1, g);
        if (++count < size) return;
        v = v.map((x, i) => gamma * x + sum[i]! / size + 0.01 * oracle.theta[i]!);
        oracle.theta = axpy(oracle.theta, -eta, v);
        [updates, count, sum] = [updates + 1, 0, zeros()];
      },
      leave: giveBack,
    };
    return oracle;
  };
}

interface Case {
  readonly name: string;
  readonly values: Record<string, number | string>;
  readonly oracle: () => (theta: number[]) => Oracle;
  readonly synchronous?: true;
}
const everyone = () => 1;
const CASES: Case[] = [
  { name: 'fedbuff', values: { bufferSize: 5, outerLearningRate: 0.3, outerMomentum: 0.8 }, oracle: () => collecting(5, ({ lag }) => 1 / Math.sqrt(1 + lag), heavyBall(0.3, 0.8)) }, // prettier-ignore
  { name: 'fedasync', values: { mixing: 0.3, staleness: 'constant' }, oracle: () => mixing(0.3, everyone) },
  { name: 'fedasync', values: { mixing: 0.6 }, oracle: () => mixing(0.6, (lag) => (1 + lag) ** -0.5) },
  { name: 'fedasync', values: { mixing: 0.6, staleness: 'hinge', slope: 10, threshold: 2 }, oracle: () => mixing(0.6, (lag) => (lag <= 2 ? 1 : 1 / (10 * (lag - 2) + 1))) }, // prettier-ignore
  { name: 'gba', values: { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, bufferSize: 3, maxStaleness: 1 }, oracle: () => gba(0.05, 0.9, 3, 1) }, // prettier-ignore
  { name: 'gba', values: { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, bufferSize: 2, maxStaleness: 0 }, oracle: () => gba(0.05, 0.9, 2, 0) }, // prettier-ignore
  { name: 'easgd', values: { elasticity: 0.15 }, oracle: () => mixing(0.15, everyone) },
  { name: 'easgd', values: {}, oracle: elasticAveraging },
  { name: 'async-local-sgd', values: { gracePart: 0 }, oracle: () => delayedNesterov(0.7, 0.9, 0, 0) },
  { name: 'async-local-sgd', values: { gracePart: 0, bufferSize: 4 }, oracle: () => delayedNesterov(0.7, 0.9, 4, 0) },
  { name: 'async-local-sgd', values: { gracePart: 0, bufferSize: 5, momentumActivation: 0.1, outerLearningRate: 0.2 }, oracle: () => delayedNesterov(0.2, 0.9, 5, 0.1) }, // prettier-ignore
  { name: 'local-sgd', values: {}, oracle: () => collecting(WORKERS, everyone, (theta, mean) => axpy(theta, -1, mean)), synchronous: true }, // prettier-ignore
  { name: 'post-local-sgd', values: {}, oracle: () => collecting(WORKERS, everyone, (theta, mean) => axpy(theta, -1, mean)), synchronous: true }, // prettier-ignore
  { name: 'slowmo', values: { learningRate: 0.05, outerLearningRate: 0.8, outerMomentum: 0.6 }, oracle: () => collecting(WORKERS, everyone, slowMomentum(0.05, 0.8, 0.6)), synchronous: true }, // prettier-ignore
  { name: 'diloco', values: {}, oracle: () => collecting(WORKERS, everyone, nesterov(0.7, 0.9)), synchronous: true },
  { name: 'palsgd', values: {}, oracle: () => collecting(WORKERS, everyone, nesterov(0.1, 0.9)), synchronous: true },
];

const TIMES = PRECISIONS.flatMap((precision) => SEEDS.map((seed) => [precision, seed] as const));

describe.each(CASES)('$name $values', ({ name, values, oracle, synchronous }) => {
  it.each(TIMES)('[A11] [A12] follows its equations in %s, seed %i', (precision, seed) => {
    const events = synchronous ? rounds(seed) : randomTrace(seed);
    const config = configOf(name, { weightDecay: name === 'gba' ? 0 : 0.01, ...values });
    expect(compare({ method: methodNamed(methods, name), config, events, oracle: oracle(), precision })).toBeLessThan(
      WITHIN[precision],
    );
  });
});

describe('the weight of a lag', () => {
  it('is 1 for none, whatever the rule, and falls by it', () => {
    const by = { exponent: 0.5, slope: 10, threshold: 4 };
    for (const staleness of ['constant', 'polynomial', 'hinge'] as const) expect(weightOfLag(0, { ...by, staleness })).toBe(1); // prettier-ignore
    expect(weightOfLag(3, { ...by, staleness: 'polynomial' })).toBe(0.5);
    expect([4, 5, 6].map((lag) => weightOfLag(lag, { ...by, staleness: 'hinge' }))).toEqual([1, 1 / 11, 1 / 21]);
  });
});
