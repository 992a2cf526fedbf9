// Measures on scalar quadratics what has a formula: the load ρ = ηλN at which the mean diverges, and the noise floor. One
// coordinate a load, so one run tries a whole range of them: coordinates of a quadratic do not touch each other.

import type { Vec } from '../../../shared/vec.ts';
import type { Method } from '../../core/method.ts';
import { HOMOGENEOUS, type Fleet } from '../fleet.ts';
import { quadratic } from '../problems/quadratic.ts';
import type { Scenario } from '../scenario.ts';
import { simulate } from '../simulator.ts';

export interface Trial {
  readonly method: Method;
  /** Hyper-parameters of the method. */
  readonly set?: Readonly<Record<string, number>>;
  readonly workers: number;
  /** Coefficient of variation of a task's time; 0: round robin. */
  readonly taskVariation: number;
  readonly seed?: number;
}

interface Course extends Trial {
  readonly loads: readonly number[];
  readonly noise: number;
  /** Pushes a worker, on average. */
  readonly rounds: number;
  /** θ after each push, and how far the run is, from 0 to 1. */
  readonly see: (theta: Vec, share: number) => void;
}

/** One run with η = 1/N, so that a coordinate's curvature is its load. */
async function course({
  method,
  set,
  workers,
  taskVariation,
  seed = 1,
  loads,
  noise,
  rounds,
  see,
}: Course): Promise<void> {
  const fleet: Fleet = { ...HOMOGENEOUS, taskVariation };
  const samples = workers * rounds;
  const problem = { kind: 'quadratic', curvatures: loads, noise, samples } as const;
  const scenario: Scenario = {
    label: method.name,
    method: { name: method.name, learningRate: 1 / workers, weightDecay: 0, schedule: {}, ...set },
    workers,
    seed,
    fleet,
    problem,
    batchSize: 1,
    epochs: 1,
    finalTest: false,
  };
  let pushes = 0;
  const onPush = (theta: Vec): void => see(theta, ++pushes / samples);
  const { end } = await simulate(scenario, {
    methods: new Map([[method.name, method]]),
    problem: quadratic(problem),
    onPush,
  });
  if (end !== 'finished') throw new Error(`${method.name} with ${workers} workers has ${end}: try smaller loads`);
}

export interface Search {
  /** How far from what is expected, as a ratio. Far off, θ grows beyond what the coordinator takes in. */
  readonly within: number;
  /** Pushes a worker. */
  readonly rounds: number;
}

/** How many loads are tried around the expected one. */
const LOADS = 33;

/**
 * The load where θ neither grows nor shrinks, looked for around `expected`; null when it is not
 * there. Growth is of the largest |θ| from the middle third of the run to its last.
 */
export async function criticalLoad(trial: Trial, expected: number, by: Search): Promise<number | null> {
  const { within, rounds } = by;
  const loads = Array.from({ length: LOADS }, (_, i) => expected * (1 + within * ((2 * i) / (LOADS - 1) - 1)));
  const [before, after] = [new Float64Array(LOADS), new Float64Array(LOADS)];
  const see = (theta: Vec, share: number): void => {
    if (share < 1 / 3) return;
    const largest = share < 2 / 3 ? before : after;
    for (let i = 0; i < LOADS; i++) largest[i] = Math.max(largest[i]!, Math.abs(theta[i]!));
  };
  await course({ ...trial, loads, noise: 0, rounds, see });
  const growth = loads.map((_, i) => Math.log(after[i]! / before[i]!));
  return crossing(loads, growth);
}

/** Where growth turns positive for good, between two loads; null when it does not. */
function crossing(loads: readonly number[], growth: readonly number[]): number | null {
  const last = growth.findLastIndex((value) => value <= 0);
  if (last < 0 || last === loads.length - 1) return null;
  const [g0, g1] = [growth[last]!, growth[last + 1]!];
  return loads[last]! + ((loads[last + 1]! - loads[last]!) * -g0) / (g1 - g0);
}

const REPLICAS = 16;

/** The mean square of θ at each load once the start is forgotten, over σ², with centres of standard deviation σ. */
export async function noiseFloor(trial: Trial, loads: readonly number[], rounds: number): Promise<number[]> {
  const noise = 1e-2;
  const copies = loads.flatMap((load) => Array.from({ length: REPLICAS }, () => load));
  const sums = new Float64Array(loads.length);
  let seen = 0;
  const see = (theta: Vec, share: number): void => {
    if (share < 0.5) return;
    seen += 1;
    for (let i = 0; i < copies.length; i++) sums[Math.floor(i / REPLICAS)]! += theta[i]! * theta[i]!;
  };
  await course({ ...trial, loads: copies, noise, rounds, see });
  return [...sums].map((sum) => sum / (seen * REPLICAS * noise * noise));
}
