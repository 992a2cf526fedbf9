// From what was asked for to the scenarios to run: one a method, number of workers, and seed.

import type { MethodConfig } from '../../../shared/config.ts';
import { DATASETS, isDatasetName } from '../../../shared/data/catalogue.ts';
import type { Schedule } from '../../../shared/schedule.ts';
import { resolveHyperparameters } from '../../core/hyperparameters.ts';
import { methodNamed, type Registry } from '../../registry.ts';
import type { ProblemSpec, Scenario } from '../../sim/scenario.ts';
import { fleetOf } from './fleet.ts';
import type { SimOptions } from './options.ts';
import type { NamedMethod } from './parsing.ts';

/** Two numbers that make an exact problem interesting: a wide spectrum, and noise that does not drown it. */
const QUADRATIC = { curvatures: Array.from({ length: 100 }, (_, i) => 10 ** (-2 * (i / 99))), noise: 0.5 };
const EXACT_SAMPLES = 2000;
const LOGISTIC_FEATURES = 20;
/** The small configuration of the experiments. */
const SMALL = { pool: 14, trainSamples: 24_000 };

/** Throws one sentence when a method, a hyper-parameter, or a data set does not fit, and when something is asked for twice. */
export function planScenarios(options: SimOptions, methods: Registry): Scenario[] {
  const problem = problemOf(options);
  const { batch: batchSize, epochs, finalTest, seeds } = options;
  mustMeanSomething(options, methods);
  mustDiffer(options);
  return options.methods.flatMap((named) =>
    options.workers.flatMap((workers) =>
      Array.from({ length: seeds }, (_, i): Scenario => {
        const seed = i + 1;
        const method = methodConfig(named, { options, methods, workers });
        const fleet = fleetOf(options, seed, workers);
        return { label: named.label, method, workers, seed, fleet, problem, batchSize, epochs, finalTest };
      }),
    ),
  );
}

export function problemOf(options: SimOptions): ProblemSpec {
  const { dataset: asked, model, hidden } = options;
  const { trainSamples: samples = EXACT_SAMPLES } = options;
  if (asked === 'quadratic') return { kind: 'quadratic', ...QUADRATIC, samples };
  if (asked === 'logistic') return { kind: 'logistic', features: LOGISTIC_FEATURES, samples };
  const small = asked === 'fashion-mnist-14';
  const dataset = small ? 'fashion-mnist' : asked;
  const pool = options.pool ?? (small ? SMALL.pool : null);
  const trainSamples = options.trainSamples ?? (small ? SMALL.trainSamples : null);
  return { kind: 'network', dataset, pool, trainSamples, model, hidden: hidden ?? null };
}

/** Training samples of one epoch. */
export function samplesOf(problem: ProblemSpec): number {
  if (problem.kind !== 'network') return problem.samples;
  if (problem.trainSamples !== null) return problem.trainSamples;
  return isDatasetName(problem.dataset) ? DATASETS[problem.dataset].trainCount : 0;
}

function methodConfig(
  { name, own }: NamedMethod,
  { options, methods, workers }: { options: SimOptions; methods: Registry; workers: number },
): MethodConfig {
  const { hyperparameters } = methodNamed(methods, name);
  const shared = sharedSettings(options).filter(([key]) => Object.hasOwn(hyperparameters, key));
  const { lr: learningRate, weightDecay } = options;
  const config = { learningRate, weightDecay, ...Object.fromEntries(shared), ...own, name };
  resolveHyperparameters(name, hyperparameters, { ...config, schedule: {} });
  return { ...config, schedule: scheduleOf(options, workers) };
}

const sharedSettings = ({ momentum, set }: SimOptions): (readonly [string, number | string])[] => [
  ...(momentum === undefined ? [] : [['momentum', momentum] as const]),
  ...set,
];

/** Every shared setting must be somebody's. */
function mustMeanSomething(options: SimOptions, methods: Registry): void {
  for (const [key] of sharedSettings(options)) {
    const known = options.methods.some(({ name }) => Object.hasOwn(methodNamed(methods, name).hyperparameters, key));
    if (!known) throw new Error(`none of the methods has a hyper-parameter "${key}"`);
  }
}

/** Equal runs would be computed side by side, and written to the same file at once. */
function mustDiffer({ methods, workers }: SimOptions): void {
  const asked = { methods: methods.map(({ label }) => label), workers: workers.map(String) };
  for (const [option, values] of Object.entries(asked)) {
    const twice = values.find((value, i) => values.indexOf(value) < i);
    if (twice !== undefined) throw new Error(`--${option} names ${twice} twice`);
  }
}

/** The papers' warm-up, from lr/N to lr; then what was asked for. */
function scheduleOf(options: SimOptions, workers: number): Schedule {
  const { warmupEpochs, decay, decayAt, decayFactor, epochs } = options;
  const warmup = warmupEpochs === 0 ? {} : { warmup: { epochs: warmupEpochs, from: 1 / workers } };
  switch (decay) {
    case 'constant':
      return warmup;
    case 'step':
      return { ...warmup, decay: { kind: 'step', epochs: decayAt.map((at) => at * epochs), factor: decayFactor } };
    case 'cosine':
      return { ...warmup, decay: { kind: 'cosine', epochs, floor: decayFactor } };
    default:
      return decay satisfies never;
  }
}
