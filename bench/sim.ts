// What the simulator adds to a step, against the gradient that the step is about, at 109,386 parameters: a push's way
// through volunteer, network and coordinator, and apart from it the method's own arithmetic.

import { wasmFolder } from '../client/headless/wasm.ts';
import { Aggregator } from '../server/core/aggregator.ts';
import type { Method } from '../server/core/method.ts';
import { methodNamed, type Registry } from '../server/registry.ts';
import { HOMOGENEOUS } from '../server/sim/fleet.ts';
import { networkProblem } from '../server/sim/problems/network.ts';
import type { Problem } from '../server/sim/problems/problem.ts';
import { simulate } from '../server/sim/simulator.ts';
import { DATASETS } from '../shared/data/catalogue.ts';
import type { Samples } from '../shared/data/spec.ts';
import { modelSpec } from '../shared/model/spec.ts';
import { useWasm } from '../shared/nn/wasm.ts';
import { rng } from '../shared/rng.ts';
import type { Vec } from '../shared/vec.ts';
import { race, table } from './timing.ts';

const METHODS = ['asgd', 'gap-aware', 'dana-ga'];
const BATCH = 128;
const PUSHES = 300;
const WORKERS = 8;

export async function benchSimulator(methods: Registry): Promise<string> {
  await useWasm(wasmFolder(), process);
  const dataset = DATASETS['fashion-mnist'];
  const model = modelSpec('ln-mlp', dataset.sampleShape, dataset.classNames.length);
  const samples = noise(BATCH * PUSHES);
  const problem = networkProblem({ model, dataset, train: samples, validation: samples, test: samples });
  const theta = Float32Array.from({ length: problem.layout.dim }, (_, i) => 0.05 * Math.sin(i));
  const gradient = new Float32Array(theta.length);
  const batch = Uint32Array.from({ length: BATCH }, (_, i) => i);
  await problem.gradient(theta, batch, gradient, false);
  /** The same pushes, with the gradient known before. */
  const given: Problem = {
    ...problem,
    gradient: (_theta, _samples, out) => {
      out.set(gradient);
      return 1;
    },
    evaluate: () => ({ loss: 1, accuracy: null }),
  };
  const times = await race(
    [
      { name: 'gradients', run: () => repeat(PUSHES, () => problem.gradient(theta, batch, gradient, false)) },
      ...METHODS.map((name) => ({ name, run: () => run(name, given, methods) })),
      ...METHODS.map((name) => ({ name: `${name} alone`, run: () => aggregate(methodNamed(methods, name), gradient) })),
    ],
    { rounds: 7, warmups: 2 },
  );
  const perPush = (name: string): number => times.get(name)! / PUSHES;
  const whole = perPush('gradients');
  const ofGradient = (ms: number): string => ((100 * ms) / whole).toFixed(1);
  return table(
    ['method', 'gradient ms', 'method ms', 'simulator ms', 'method ÷ gradient %', 'simulator ÷ gradient %'],
    METHODS.map((name) => {
      const method = perPush(`${name} alone`);
      const simulator = perPush(name) - method;
      const ms = [whole, method, simulator].map((value) => value.toFixed(3));
      return [name, ...ms, ofGradient(method), ofGradient(simulator)];
    }),
  );
}

/** The method's arithmetic alone: what the coordinator would do for these pushes anywhere. */
function aggregate(method: Method, gradient: Vec): void {
  const aggregator = new Aggregator({
    method,
    config: { name: method.name, learningRate: 0.01, weightDecay: 1e-4, schedule: {} },
    theta: new Float32Array(gradient.length),
    samplesPerEpoch: BATCH * PUSHES,
  });
  const vector = new Float32Array(gradient.length);
  const held = Array.from({ length: WORKERS }, (_, i) => aggregator.pull(`w${i}`));
  for (let i = 0; i < PUSHES; i++) {
    const worker = i % WORKERS;
    const sent = held[worker]!;
    vector.set(gradient);
    aggregator.push({ worker: `w${worker}`, sent, vector, samples: BATCH, nowMs: i }, { outstanding: 0 });
    aggregator.release(sent);
    held[worker] = aggregator.pull(`w${worker}`);
  }
}

async function run(name: string, problem: Problem, methods: Registry): Promise<void> {
  const scenario = {
    label: name,
    method: { name, learningRate: 0.01, weightDecay: 1e-4, schedule: {} },
    workers: WORKERS,
    seed: 1,
    fleet: HOMOGENEOUS,
    problem: { kind: 'logistic', features: 1, samples: problem.samples },
    batchSize: BATCH,
    epochs: 1,
    finalTest: false,
  } as const;
  const { end } = await simulate(scenario, { methods, problem });
  if (end !== 'finished') throw new Error(`the run of ${name} has ${end}`);
}

async function repeat(count: number, what: () => number | Promise<number>): Promise<void> {
  for (let i = 0; i < count; i++) await what();
}

function noise(count: number): Samples {
  const random = rng('bench');
  const sampleBytes = 28 * 28;
  return {
    count,
    sampleBytes,
    labels: Uint8Array.from({ length: count }, () => random.below(10)),
    features: Uint8Array.from({ length: count * sampleBytes }, () => random.below(256)),
  };
}
