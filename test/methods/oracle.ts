// What the oracle tests share: long random traces from a seed, and playing one into the real aggregation code beside a
// re-implementation in doubles that was written from the equations alone.

import type { MethodConfig } from '../../shared/config.ts';
import { rng, type Rng } from '../../shared/rng.ts';
import type { Method } from '../../server/core/method.ts';
import { playTrace, type TraceEvent } from '../../server/core/trace.ts';

/** What an oracle is told of a push. */
export interface OraclePush {
  readonly worker: string;
  readonly g: readonly number[];
  /** What this worker was sent. */
  readonly s: readonly number[];
  readonly lag: number;
}

/** A method in plain arrays of doubles. */
export interface Oracle {
  theta: number[];
  /** What the worker is sent now. */
  sent(worker: string): number[];
  push(push: OraclePush): void;
  leave?(worker: string): void;
}

export const DIM = 7;

/** A random vector; now and then one element is zero, as after a ReLU. */
export function randomVector(random: Rng, dim = DIM): number[] {
  return Array.from({ length: dim }, () => Math.fround(random.normal()));
}

/** Pulls, pushes and leaves of several workers in a random order; a worker may pull again without having pushed. */
export function randomTrace(seed: number, { workers = 5, events = 400, leaves = true } = {}): TraceEvent[] {
  const random = rng(`trace/${seed}`);
  const holding = new Set<string>();
  return Array.from({ length: events }, (): TraceEvent => {
    const worker = `w${random.below(workers)}`;
    if (leaves && random.below(40) === 0) {
      holding.delete(worker);
      return { type: 'leave', worker };
    }
    if (!holding.has(worker) || random.below(20) === 0) {
      holding.add(worker);
      return { type: 'pull', worker };
    }
    holding.delete(worker);
    return { type: 'push', worker, vector: randomVector(random), samples: 1 + random.below(3) };
  });
}

export interface Comparison {
  readonly method: Method;
  readonly config: MethodConfig;
  readonly events: readonly TraceEvent[];
  readonly oracle: (theta: number[]) => Oracle;
  readonly params?: readonly number[];
  readonly precision: Precision;
}

/** As a trace is replayed, and as a live run computes. */
export const PRECISIONS = ['float64', 'float32'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What the difference below may come to. */
export const WITHIN: Record<Precision, number> = { float64: 1e-9, float32: 1e-5 };

/**
 * The largest relative difference between the real code and the oracle, over every event, by the largest element. In doubles
 * each is left to itself. In float32 the oracle goes on from the system's own θ and sent vectors after each event, so that
 * roundings do not add up; momenta and means are its own throughout.
 */
export function compare({ method, config, events, oracle, precision, params = startAt(1) }: Comparison): number {
  const real = playTrace({ method, config, params, events, precision });
  const alone = precision === 'float64';
  const model = oracle([...params]);
  const pulled = new Map<string, { s: number[]; version: number }>();
  let version = 0;
  let worst = 0;
  events.forEach((event, index) => {
    const { worker } = event;
    let expected = model.theta;
    if (event.type === 'pull') {
      expected = model.sent(worker);
      pulled.set(worker, { s: alone ? [...expected] : [...real[index]!.params], version });
    } else if (event.type === 'push') {
      const { s, version: base } = pulled.get(worker)!;
      pulled.delete(worker);
      model.push({ worker, g: event.vector, s, lag: version - base });
      expected = model.theta;
      if (!alone) model.theta = [...real[index]!.params];
      version = real[index]!.version;
    } else {
      pulled.delete(worker);
      model.leave?.(worker);
    }
    worst = Math.max(worst, difference(real[index]!.params, expected));
  });
  return worst;
}

/** max |a − b| / max |b| */
export function difference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} numbers`);
  const largest = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / Math.max(largest, 1e-12);
}

export function startAt(seed: number, dim = DIM): number[] {
  return randomVector(rng(`start/${seed}`), dim);
}

export function configOf(name: string, values: Record<string, number | string | object>): MethodConfig {
  return { name, learningRate: 0.1, weightDecay: 0, schedule: {}, ...values };
}
