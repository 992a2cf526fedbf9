// A data set and a network over it, as a problem of the simulator: cut to size, pooled, on TensorFlow.js's wasm backend.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Dataset } from '../../../shared/data/dataset.ts';
import type { DatasetSpec, Samples } from '../../../shared/data/spec.ts';
import { modelSpec } from '../../../shared/model/spec.ts';
import { useWasm } from '../../../shared/nn/wasm.ts';
import { networkProblem } from '../../sim/problems/network.ts';
import type { Problem } from '../../sim/problems/problem.ts';
import type { ProblemSpec } from '../../sim/scenario.ts';
import { poolImages } from './pool.ts';

type NetworkSpec = Extract<ProblemSpec, { kind: 'network' }>;

let backend: Promise<void> | null = null;

/** Throws one sentence when the data do not fit what is asked of them. */
export async function trainable(spec: NetworkSpec, dataset: Dataset): Promise<Problem> {
  await (backend ??= useWasm(wasmFolder(), process));
  const { pool, model, hidden } = spec;
  const pooled = (samples: Samples): Samples =>
    pool === null ? samples : poolImages(samples, dataset.spec.sampleShape, pool);
  const shown = pool === null ? dataset.spec : shrunk(dataset.spec, pool);
  const train = head(dataset.train, spec);
  return networkProblem({
    model: modelSpec(model, shown.sampleShape, shown.classNames.length, hidden ?? undefined),
    dataset: { ...shown, trainCount: train.count, ...(spec.raw && { mean: 0, deviation: 1 }) },
    train: pooled(train),
    validation: pooled(dataset.validation),
    test: pooled(dataset.test),
  });
}

const shrunk = (spec: DatasetSpec, side: number): DatasetSpec => ({
  ...spec,
  sampleShape: [side, side, spec.sampleShape[2]],
});

/** The loader has put the training split in a random order: its first samples are a fair draw. */
function head(train: Samples, { trainSamples, dataset }: NetworkSpec): Samples {
  if (trainSamples === null) return train;
  if (trainSamples > train.count) {
    throw new Error(`${dataset} has ${train.count} training samples, not the ${trainSamples} that were asked for`);
  }
  const { sampleBytes } = train;
  return {
    count: trainSamples,
    sampleBytes,
    labels: train.labels.subarray(0, trainSamples),
    features: train.features.subarray(0, trainSamples * sampleBytes),
  };
}

function wasmFolder(): string {
  const resolved = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  return `${dirname(resolved)}/dist/`;
}
