// The problems of the simulator, made ready: exact ones are made from their numbers, networks from a data set on disk.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Dataset } from '../../../shared/data/dataset.ts';
import type { DatasetSpec, Samples } from '../../../shared/data/spec.ts';
import { modelSpec } from '../../../shared/model/spec.ts';
import { useWasm } from '../../../shared/nn/wasm.ts';
import { loadDataset } from '../../adapters/datasets.ts';
import { logistic } from '../../sim/problems/logistic.ts';
import { networkProblem } from '../../sim/problems/network.ts';
import type { Problem } from '../../sim/problems/problem.ts';
import { quadratic } from '../../sim/problems/quadratic.ts';
import type { ProblemSpec } from '../../sim/scenario.ts';
import { poolImages } from './pool.ts';

type NetworkSpec = Extract<ProblemSpec, { kind: 'network' }>;

/** Keeps the last problem and the last data set: the runs of one table share them. */
export class ProblemShelf {
  readonly #dataDir: string;
  #problem: { readonly key: string; readonly problem: Problem } | null = null;
  #dataset: { readonly name: string; readonly dataset: Dataset } | null = null;
  #backend: Promise<void> | null = null;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Throws one sentence when the data are not to be had or do not fit. */
  async problem(spec: ProblemSpec): Promise<Problem> {
    const key = JSON.stringify(spec);
    if (this.#problem?.key !== key) this.#problem = { key, problem: await this.#make(spec) };
    return this.#problem.problem;
  }

  async #make(spec: ProblemSpec): Promise<Problem> {
    switch (spec.kind) {
      case 'quadratic':
        return quadratic(spec);
      case 'logistic':
        return logistic(spec);
      case 'network':
        return this.#network(spec);
      default:
        return spec satisfies never;
    }
  }

  async #network(spec: NetworkSpec): Promise<Problem> {
    await (this.#backend ??= useWasm(wasmFolder(), process));
    if (this.#dataset?.name !== spec.dataset) {
      this.#dataset = { name: spec.dataset, dataset: await loadDataset(spec.dataset, { dataDir: this.#dataDir }) };
    }
    const { dataset } = this.#dataset;
    const splits = { validation: dataset.validation, test: dataset.test, train: head(dataset.train, spec) };
    const pooled = (samples: Samples): Samples =>
      spec.pool === null ? samples : poolImages(samples, dataset.spec.sampleShape, spec.pool);
    const shown = spec.pool === null ? dataset.spec : shrunk(dataset.spec, spec.pool);
    const { model, hidden } = spec;
    return networkProblem({
      model: modelSpec(model, shown.sampleShape, shown.classNames.length, hidden ?? undefined),
      dataset: { ...shown, trainCount: splits.train.count },
      train: pooled(splits.train),
      validation: pooled(splits.validation),
      test: pooled(splits.test),
    });
  }
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
