// A network on real samples, on whatever TensorFlow.js backend is set: the same gradient as a volunteer's.

import type { DatasetSpec, Samples } from '../../../shared/data/spec.ts';
import { layoutOf } from '../../../shared/model/layout.ts';
import type { ModelSpec } from '../../../shared/model/spec.ts';
import { Network } from '../../../shared/nn/network.ts';
import type { Problem } from './problem.ts';

/** Large enough that the overhead of a call does not show, small enough for a convolution's intermediates. */
const EVALUATION_BATCH = 500;

export interface NetworkData {
  readonly model: ModelSpec;
  readonly dataset: DatasetSpec;
  readonly train: Samples;
  readonly validation: Samples;
  readonly test: Samples;
}

export function networkProblem({ model, dataset, train, ...splits }: NetworkData): Problem {
  const layout = layoutOf(model);
  const scale = { mean: dataset.mean, deviation: dataset.deviation };
  const network = new Network({ model, layout, scale });
  const staged = { features: new Uint8Array(0), labels: new Uint8Array(0) };
  const stage = (batch: Uint32Array, flipped: boolean): void => {
    const { sampleBytes } = train;
    if (staged.labels.length < batch.length) {
      staged.features = new Uint8Array(batch.length * sampleBytes);
      staged.labels = new Uint8Array(batch.length);
    }
    batch.forEach((sample, j) => {
      const label = train.labels[sample]!;
      staged.labels[j] = flipped ? model.classes - 1 - label : label;
      staged.features.set(train.features.subarray(sample * sampleBytes, (sample + 1) * sampleBytes), j * sampleBytes);
    });
  };
  return {
    model,
    layout,
    dataset,
    samples: train.count,
    gradient: async (theta, batch, out, flipped) => {
      stage(batch, flipped);
      const { loss } = await network.gradient(theta, { count: batch.length, ...staged }, out);
      return loss;
    },
    heldOutGradient: async (theta) => {
      const { count, sampleBytes, features, labels } = splits.validation;
      const first = Math.min(count, EVALUATION_BATCH);
      const out = new Float32Array(layout.dim);
      const batch = { count: first, features: features.subarray(0, first * sampleBytes), labels };
      await network.gradient(theta, batch, out);
      return out;
    },
    evaluate: (theta, split) => network.evaluate(theta, splits[split], EVALUATION_BATCH),
  };
}
