// A run made ready: its configuration checked against its method, its data loaded and cut, its model laid out.

import type { RunConfig } from '../../shared/config.ts';
import type { Dataset } from '../../shared/data/dataset.ts';
import type { ShardRef } from '../../shared/data/spec.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { modelSpec } from '../../shared/model/spec.ts';
import { loadDataset } from '../adapters/datasets.ts';
import { cutShards } from '../adapters/shards.ts';
import type { RunSetup } from '../core/events.ts';
import { methodNamed, type Registry } from '../registry.ts';

export interface RunData {
  readonly setup: RunSetup;
  readonly dataset: Dataset;
  readonly shards: readonly ShardRef[];
  /** By SHA-256. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** Throws one sentence when the method, the model or a file of the data set is not to be had. */
export async function prepareRun(
  config: RunConfig,
  { methods, dataDir }: { methods: Registry; dataDir: string },
): Promise<RunData> {
  const method = methodNamed(methods, config.method.name);
  const dataset = await loadDataset(config.dataset, { dataDir });
  const { sampleShape, classNames } = dataset.spec;
  const model = modelSpec(config.model.name, sampleShape, classNames.length, config.model.hidden);
  const { refs, blobs } = cutShards(dataset.train, { seed: config.seed, shardSamples: config.shardSamples });
  const setup: RunSetup = {
    config,
    method,
    model,
    layout: layoutOf(model),
    dataset: dataset.spec,
    shardCounts: refs.map(({ count }) => count),
  };
  return { setup, dataset, shards: refs, blobs };
}
