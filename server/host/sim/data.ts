// The problems of the simulator, made ready: exact ones are made from their numbers, networks from a data set on disk.

import type { Dataset } from '../../../shared/data/dataset.ts';
import { loadDataset } from '../../adapters/datasets.ts';
import { logistic } from '../../sim/problems/logistic.ts';
import type { Problem } from '../../sim/problems/problem.ts';
import { quadratic } from '../../sim/problems/quadratic.ts';
import type { ProblemSpec } from '../../sim/scenario.ts';

/** Keeps the last problem and the last data set: the runs of one table share them. */
export class ProblemShelf {
  readonly #dataDir: string;
  #problem: { readonly key: string; readonly problem: Problem } | null = null;
  #dataset: { readonly name: string; readonly dataset: Dataset } | null = null;

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
      case 'network': {
        // TensorFlow.js is loaded only where it computes.
        const { trainable } = await import('./trainable.ts');
        return trainable(spec, await this.#load(spec.dataset));
      }
      default:
        return spec satisfies never;
    }
  }

  async #load(name: string): Promise<Dataset> {
    if (this.#dataset?.name !== name) {
      this.#dataset = { name, dataset: await loadDataset(name, { dataDir: this.#dataDir }) };
    }
    return this.#dataset.dataset;
  }
}
