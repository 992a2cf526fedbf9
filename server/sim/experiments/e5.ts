// E5: the event simulator against theory, on scalar quadratics. The load is ρ = ηλN; every formula and the table are of
// linear stability, so this is the simulator's own test as much as the methods'.

import type { TopLevelSpec } from 'vega-lite';
import type { Method } from '../../core/method.ts';
import { spread } from '../report/statistics.ts';
import { markdown } from '../report/table.ts';
import type { Check, ExactExperiment, ExactReport } from './experiment.ts';
import { criticalLoad, noiseFloor, type Trial } from './stability.ts';

interface Bound {
  readonly what: string;
  readonly workers: number;
  readonly expected: number;
  /** How far from it the measured one may be. */
  readonly tolerance: number;
  readonly trial: Trial;
  /** Runs that the mean is taken of; one is enough where nothing is drawn. */
  readonly seeds?: number;
}

export interface Measured extends Omit<Bound, 'trial' | 'seeds'> {
  readonly measured: number | null;
  readonly deviation: number | null;
}

/**
 * Critical ρ at γ = 0.9, round robin: where the spectral radius of one round's linear map is 1. The test solves each method's
 * characteristic equation for them.
 */
export const ROUND_ROBIN: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  'heavy-ball': { 4: 0.1391, 8: 0.126, 16: 0.1269, 32: 0.1337, 64: 0.1418 },
  'nag-asgd': { 4: 0.1855, 8: 0.1411, 16: 0.1334, 32: 0.1371, 64: 0.1436 },
  'multi-asgd': { 4: 0.5673, 8: 0.2957, 16: 0.2364, 32: 0.2147, 64: 0.2053 },
  'dana-zero': { 4: 0.8812, 8: 0.7768, 16: 0.7288, 32: 0.7057, 64: 0.6945 },
};

/** No momentum, a lag of exactly N − 1: ηλ = 2 sin(π/(2(2L+1))). */
const momentumFree = (workers: number): number => 2 * workers * Math.sin(Math.PI / (2 * (2 * workers - 1)));

/** Turnaround times of Erlang's law with k stages: k·tan(π/2k)/cosᵏ(π/2k), for many workers. */
export const erlangBound = (k: number): number => (k * Math.tan(Math.PI / (2 * k))) / Math.cos(Math.PI / (2 * k)) ** k;

/** The stationary mean square of θ over σ², at a constant delay: (ρ/2N)·(1 + sin ρ)/cos ρ. */
export const floorOf = (load: number, workers: number): number =>
  ((load / (2 * workers)) * (1 + Math.sin(load))) / Math.cos(load);

const LOADS = [0.1, 0.37, 0.7, 1, 1.3];
const LEVEL = 0.02;
const FORMULA_LEVEL = 0.08;
const FLOOR_LEVEL = 0.2;

function bounds(methods: ReadonlyMap<string, Method>, reduced: boolean): Bound[] {
  const asgd = methods.get('asgd')!;
  const counts = reduced ? [4, 8] : [4, 8, 16, 32, 64];
  const roundRobin = Object.entries(ROUND_ROBIN).flatMap(([name, table]) =>
    counts.map((workers): Bound => {
      const trial: Trial = { method: methods.get(name)!, set: { momentum: 0.9 }, workers, taskVariation: 0 };
      return { what: `${name}, round robin`, workers, expected: table[workers]!, tolerance: LEVEL, trial };
    }),
  );
  const plain = counts.map((workers): Bound => {
    const trial: Trial = { method: asgd, workers, taskVariation: 0 };
    return { what: 'asgd, round robin', workers, expected: momentumFree(workers), tolerance: LEVEL, trial };
  });
  const erlang = (reduced ? [100] : [100, 4, 2]).flatMap((k) =>
    (reduced ? [32] : [64, 256]).map((workers): Bound => {
      const trial: Trial = { method: asgd, workers, taskVariation: 1 / Math.sqrt(k) };
      const what = `asgd, Gamma(${k})`;
      return { what, workers, expected: erlangBound(k), tolerance: FORMULA_LEVEL, trial, seeds: reduced ? 1 : 4 };
    }),
  );
  return [...roundRobin, ...plain, ...erlang];
}

/** What is tried is wider than the tolerance, so that a miss shows how far it is. */
async function measureBound({ trial, seeds = 1, ...bound }: Bound): Promise<Measured> {
  const search = trial.taskVariation === 0 ? { within: 0.1, rounds: 240 } : { within: 0.2, rounds: 120 };
  const loads: (number | null)[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    loads.push(await criticalLoad({ ...trial, seed }, bound.expected, search));
  }
  const measured = loads.includes(null) ? null : spread(loads)!.mean;
  return { ...bound, measured, deviation: measured === null ? null : measured / bound.expected - 1 };
}

async function measure(methods: ReadonlyMap<string, Method>, { reduced }: { reduced: boolean }): Promise<ExactReport> {
  const found: Measured[] = [];
  for (const bound of bounds(methods, reduced)) found.push(await measureBound(bound));
  const workers = 32;
  const trial: Trial = { method: methods.get('asgd')!, workers, taskVariation: 0.1 };
  const floors = await noiseFloor(trial, LOADS, reduced ? 300 : 2000);
  const floorRows = LOADS.map((load, i): Measured => {
    const expected = floorOf(load, workers);
    const what = `noise floor at ρ = ${load}`;
    return {
      what,
      workers,
      expected,
      tolerance: FLOOR_LEVEL,
      measured: floors[i]!,
      deviation: floors[i]! / expected - 1,
    };
  });
  const all = [...found, ...floorRows];
  return { markdown: tableOf(all), plot: plotOf(found), data: all, checks: all.map(checkOf) };
}

function checkOf({ what, workers, tolerance, deviation }: Measured): Check {
  const claim = `${what}, N = ${workers}: within ${100 * tolerance} %`;
  if (deviation === null) return { claim, found: 'outside of what was tried', passed: false };
  return { claim, found: percentOff(deviation), passed: Math.abs(deviation) <= tolerance };
}

const percentOff = (deviation: number): string =>
  `${deviation < 0 ? '−' : '+'}${Math.abs(100 * deviation).toFixed(1)} %`;

function tableOf(all: readonly Measured[]): string {
  const shown = (value: number | null): string => (value === null ? '' : value.toPrecision(4));
  return markdown(
    ['what', 'N', 'theory', 'simulated', 'off by'],
    all.map(({ what, workers, expected, measured, deviation }) => [
      what,
      String(workers),
      shown(expected),
      shown(measured),
      deviation === null ? '' : percentOff(deviation),
    ]),
  );
}

function plotOf(found: readonly Measured[]): TopLevelSpec {
  const values = found.map(({ what, workers, expected, measured }) => ({ what, workers, expected, measured }));
  const x = { field: 'workers', type: 'quantitative', scale: { type: 'log', base: 2 }, title: 'workers' } as const;
  const color = { field: 'what', type: 'nominal', title: null, sort: null } as const;
  const y = (field: string) =>
    ({ field, type: 'quantitative', scale: { type: 'log' }, title: 'critical ρ = ηλN' }) as const;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: 'Lines: theory. Points: simulated.',
    background: 'white',
    padding: 12,
    config: { legend: { labelLimit: 300 } },
    width: 420,
    height: 300,
    data: { values },
    layer: [
      { mark: 'line', encoding: { x, color, y: y('expected') } },
      { mark: { type: 'point', filled: true, size: 50 }, encoding: { x, color, y: y('measured') } },
    ],
  };
}

export const E5: ExactExperiment = {
  kind: 'exact',
  name: 'e5',
  title: 'E5: stability and noise, theory and simulation',
  about:
    'Scalar quadratics of curvature λ, η = 1/N, momentum 0.9 where there is one. The load ρ = ηλN at which the mean diverges, measured over 240 pushes a worker (where task times are drawn: 120, and the mean of four seeds); and the stationary mean square of θ under gradient noise (Gamma(100) times, 2,000 pushes a worker).',
  measure,
};
