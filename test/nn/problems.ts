// Small models and samples, drawn from a seed, that the numerical tests share.

import { sampleBytesOf, type Samples } from '../../shared/data/spec.ts';
import { layoutOf, type Layout } from '../../shared/model/layout.ts';
import { modelSpec, type Layer, type ModelName, type ModelSpec } from '../../shared/model/spec.ts';
import { Network } from '../../shared/nn/network.ts';
import { rng } from '../../shared/rng.ts';
import type { Vec } from '../../shared/vec.ts';

export const SCALE = { mean: 0.5, deviation: 0.25 };

export interface Problem {
  readonly model: ModelSpec;
  readonly layout: Layout;
  readonly network: Network;
  readonly theta: Vec;
  readonly samples: Samples;
}

/** A model with parameters of deviation 0.3, and samples of random bytes. */
export function problemOf(model: ModelSpec, count: number, seed = 'problem'): Problem {
  const layout = layoutOf(model);
  const random = rng(seed);
  const sampleBytes = sampleBytesOf(model.input);
  return {
    model,
    layout,
    network: new Network({ model, layout, scale: SCALE }),
    theta: new Float32Array(layout.dim).map(() => 0.3 * random.normal()),
    samples: {
      count,
      sampleBytes,
      features: new Uint8Array(count * sampleBytes).map(() => random.below(256)),
      labels: new Uint8Array(count).map(() => random.below(model.classes)),
    },
  };
}

/** The built-in models, small: 8×7 images of two channels, four classes, narrow hidden layers. */
export function smallModel(name: ModelName): ModelSpec {
  const hidden = { softmax: [], mlp: [9], 'ln-mlp': [9, 7], cnn: [12] };
  return modelSpec(name, [8, 7, 2], 4, hidden[name]);
}

/** Two convolutions and the dense layer above them; the second is the one under test, so its input gradient counts. */
export function convolutional(input: ModelSpec['input'], under: Extract<Layer, { kind: 'conv2d' }>): ModelSpec {
  const first: Layer = { kind: 'conv2d', filters: 2, kernel: 3, stride: 1, padding: 'same' };
  return { name: 'conv', input, classes: 3, layers: [first, under, { kind: 'flatten' }, { kind: 'dense', units: 3 }] };
}

/** Samples whose class is which band of the image is bright, so that every model can learn it. */
export function bands(shape: ModelSpec['input'], classes: number, count: number): Samples {
  const random = rng('bands');
  const sampleBytes = sampleBytesOf(shape);
  const labels = new Uint8Array(count).map(() => random.below(classes));
  const features = new Uint8Array(count * sampleBytes).map((_, i) => {
    const band = Math.floor(((i % sampleBytes) * classes) / sampleBytes);
    return band === labels[Math.floor(i / sampleBytes)] ? 150 + random.below(100) : random.below(100);
  });
  return { count, sampleBytes, labels, features };
}
