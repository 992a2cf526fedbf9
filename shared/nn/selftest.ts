// The admission self-test: small known problems whose loss and gradient the backend must get right before it may train.
// WebGPU can be wrong in silence (an invalid shader zeroes other operations' results), so no exception is not enough.

import type { Layer, ModelSpec } from '../model/spec.ts';
import { layoutOf } from '../model/layout.ts';
import { sampleBytesOf } from '../data/spec.ts';
import { rng } from '../rng.ts';
import type { Vec } from '../vec.ts';
import { gradientFault } from './loss.ts';
import { Network, type LabelledBytes } from './network.ts';
import references from './references.json' with { type: 'json' };

/** Largest relative error allowed in loss and gradient: float32 gives 1e-6, half precision and wrong kernels far more. */
export const TOLERANCE = 1e-3;

const CLASSES = 3;
const SAMPLES = 5;

const flatten: Layer = { kind: 'flatten' };
const dense = (units: number): Layer => ({ kind: 'dense', units });

/** A model for each kind of layer that can be wrong, with something below it, so that its input gradient counts too. */
const PROBLEMS = {
  loss: { input: [1, 1, 12], layers: [flatten] },
  dense: { input: [1, 1, 12], layers: [flatten, dense(8)] },
  'layer-norm': { input: [1, 1, 12], layers: [flatten, dense(8), { kind: 'layer-norm' }] },
  relu: { input: [1, 1, 12], layers: [flatten, dense(8), { kind: 'relu' }] },
  conv2d: {
    input: [9, 8, 2],
    layers: [
      { kind: 'conv2d', filters: 4, kernel: 3, stride: 1, padding: 'same' },
      { kind: 'conv2d', filters: 5, kernel: 3, stride: 1, padding: 'same' },
      { kind: 'conv2d', filters: 3, kernel: 3, stride: 2, padding: 'valid' },
      flatten,
    ],
  },
  'max-pool': {
    input: [6, 7, 2],
    layers: [
      { kind: 'conv2d', filters: 3, kernel: 3, stride: 1, padding: 'same' },
      { kind: 'max-pool', size: 2, stride: 2 },
      flatten,
    ],
  },
} as const satisfies Record<string, { input: ModelSpec['input']; layers: readonly Layer[] }>;

export type CheckName = keyof typeof PROBLEMS;
export const CHECK_NAMES = Object.keys(PROBLEMS) as CheckName[];

/** What the reference backend found. */
export interface Reference {
  /** Mean softmax cross-entropy, nats. */
  readonly loss: number;
  readonly gradient: readonly number[];
}

export interface CheckResult {
  readonly name: CheckName;
  readonly ok: boolean;
  /** The larger of |Δloss|/loss and ‖Δgradient‖₂/‖gradient‖₂; NaN when nothing comparable came back. */
  readonly relativeError: number;
}

export interface SelfTestResult {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  /** Why not ok, for a person. */
  readonly reason?: string;
}

/** Runs, on the backend that is set, the loss's check and those of the model's layers, or all checks. Does not throw. */
export async function selfTest(model?: ModelSpec): Promise<SelfTestResult> {
  const kinds = new Set<string>(model?.layers.map((layer) => layer.kind) ?? CHECK_NAMES);
  const checks: CheckResult[] = [];
  const reasons: string[] = [];
  for (const name of CHECK_NAMES.filter((check) => check === 'loss' || kinds.has(check))) {
    const { relativeError, reason } = await check(name);
    checks.push({ name, ok: reason === null, relativeError });
    if (reason !== null) reasons.push(`${name}: ${reason}`);
  }
  return reasons.length === 0 ? { ok: true, checks } : { ok: false, checks, reason: reasons.join('; ') };
}

async function check(name: CheckName): Promise<{ relativeError: number; reason: string | null }> {
  const { network, theta, batch } = knownProblem(name);
  const gradient = new Float32Array(theta.length);
  try {
    const { loss } = await network.gradient(theta, batch, gradient);
    const fault = gradientFault(gradient, loss);
    const relativeError = errorAgainst(references[name], loss, gradient);
    if (fault !== null) return { relativeError, reason: `${fault} gradient` };
    const off = `relative error ${relativeError.toPrecision(2)}, at most ${TOLERANCE}`;
    return { relativeError, reason: relativeError <= TOLERANCE ? null : off };
  } catch (error) {
    return { relativeError: NaN, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A check's model, θ and batch: the same numbers on every machine. */
export function knownProblem(name: CheckName): { network: Network; theta: Vec; batch: LabelledBytes } {
  const { input, layers } = PROBLEMS[name];
  const model: ModelSpec = { name, input, classes: CLASSES, layers: [...layers, dense(CLASSES)] };
  const layout = layoutOf(model);
  const random = rng(`selftest/${name}`);
  const theta = new Float32Array(layout.dim).map(() => 0.4 * random.normal());
  const batch: LabelledBytes = {
    count: SAMPLES,
    features: new Uint8Array(SAMPLES * sampleBytesOf(input)).map(() => random.below(256)),
    labels: Uint8Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
  };
  return { network: new Network({ model, layout, scale: { mean: 0.5, deviation: 0.25 } }), theta, batch };
}

function errorAgainst(reference: Reference, loss: number, gradient: Vec): number {
  let difference = 0;
  let size = 0;
  reference.gradient.forEach((expected, i) => {
    difference += (gradient[i]! - expected) ** 2;
    size += expected ** 2;
  });
  return Math.max(Math.sqrt(difference / size), Math.abs(loss - reference.loss) / reference.loss);
}
