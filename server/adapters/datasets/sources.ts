// Which published files make up a data set, and how many samples each must hold. Data only: load.ts reads them.

import { DATASETS, type DatasetName } from '../../../shared/data/catalogue.ts';
import type { DatasetSpec } from '../../../shared/data/spec.ts';

/** IDX: one file of images and one of their labels, `count` of each. */
export interface IdxFiles {
  readonly images: string;
  readonly labels: string;
  readonly count: number;
}

/** CIFAR-10: one file of `count` records, label and pixels together. */
export interface CifarFile {
  readonly records: string;
  readonly count: number;
}

export type SourceFile = IdxFiles | CifarFile;

/** A data set on disk. Without test files, the test split is cut from the training files too. */
export interface Source {
  readonly spec: DatasetSpec;
  readonly folder: string;
  readonly publisher: string;
  readonly train: readonly SourceFile[];
  readonly test: readonly SourceFile[];
}

const IDX_FILES = {
  train: [{ images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte', count: 60_000 }],
  test: [{ images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte', count: 10_000 }],
} as const;

const CIFAR_URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';

export const SOURCES: Readonly<Record<Exclude<DatasetName, 'digits'>, Source>> = {
  'fashion-mnist': {
    ...IDX_FILES,
    spec: DATASETS['fashion-mnist'],
    folder: 'fashion-mnist',
    publisher: 'https://github.com/zalandoresearch/fashion-mnist',
  },
  mnist: {
    ...IDX_FILES,
    spec: DATASETS.mnist,
    folder: 'mnist',
    publisher: 'http://yann.lecun.com/exdb/mnist/ (mirror: https://storage.googleapis.com/cvdf-datasets/mnist/)',
  },
  cifar10: {
    spec: DATASETS.cifar10,
    folder: 'cifar10',
    publisher: CIFAR_URL,
    train: [1, 2, 3, 4, 5].map((n) => ({ records: `data_batch_${n}.bin`, count: 10_000 })),
    test: [{ records: 'test_batch.bin', count: 10_000 }],
  },
  'cifar10-first4000': {
    spec: DATASETS['cifar10-first4000'],
    folder: 'cifar10',
    publisher: `${CIFAR_URL}, and cut the first 12,292,000 bytes (4,000 records) off data_batch_1.bin`,
    train: [{ records: 'official_data_batch_1_first4000.bin', count: 4_000 }],
    test: [],
  },
};
