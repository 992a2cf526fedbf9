// Data sets by name, whole in memory: drawn (digits) or read from the operator's data folder (all others).

import { DATASETS, DATASET_NAMES, isDatasetName } from '../../shared/data/catalogue.ts';
import type { Dataset } from '../../shared/data/dataset.ts';
import { drawDigits } from '../../shared/data/digits.ts';
import { loadSource } from './datasets/load.ts';
import { SOURCES } from './datasets/sources.ts';

export { DataFileError } from './datasets/files.ts';

export interface LoadOptions {
  /** Folder that holds one folder a data set; only ever read. */
  readonly dataDir: string;
  /** Draws the embedded data set, and nothing else: files on disk are split alike whatever it says. */
  readonly seed?: number | string;
}

/** The seed of the digits that `mean` and `deviation` were measured on. */
const DIGITS_SEED = 1;

/** Throws one sentence for the operator: an unknown name, or a DataFileError. */
export async function loadDataset(name: string, { dataDir, seed = DIGITS_SEED }: LoadOptions): Promise<Dataset> {
  if (!isDatasetName(name)) throw new Error(`No data set is called "${name}": choose ${DATASET_NAMES.join(', ')}.`);
  return name === 'digits' ? loadDigits(seed) : await loadSource(SOURCES[name], dataDir);
}

function loadDigits(seed: number | string): Dataset {
  const spec = DATASETS.digits;
  return {
    spec,
    train: drawDigits({ seed, split: 'train', count: spec.trainCount }),
    validation: drawDigits({ seed, split: 'validation', count: spec.validationCount }),
    test: drawDigits({ seed, split: 'test', count: spec.testCount }),
  };
}
