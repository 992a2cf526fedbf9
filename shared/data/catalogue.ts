// The data sets known by name. Only what a sample looks like and how many there are: no samples, no files.

import { DIGIT_PIXELS } from './digits.ts';
import type { DatasetSpec } from './spec.ts';

export const DATASET_NAMES = ['digits', 'fashion-mnist', 'mnist', 'cifar10', 'cifar10-first4000'] as const;
export type DatasetName = (typeof DATASET_NAMES)[number];

export const isDatasetName = (name: string): name is DatasetName => (DATASET_NAMES as readonly string[]).includes(name);

const DIGIT_NAMES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

const FASHION_NAMES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

const CIFAR = {
  sampleShape: [32, 32, 3],
  classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  mean: 0.4734, // over all three channels of the published training images
  deviation: 0.2516,
} as const;

/** `mean` and `deviation` are of all pixels of the training images, over 255. */
export const DATASETS = {
  digits: {
    name: 'digits',
    title: 'Drawn digits',
    sampleShape: [DIGIT_PIXELS, DIGIT_PIXELS, 1],
    classNames: DIGIT_NAMES,
    mean: 0.0933,
    deviation: 0.2218,
    trainCount: 12_000,
    validationCount: 2_000,
    testCount: 2_000,
  },
  'fashion-mnist': {
    name: 'fashion-mnist',
    title: 'Fashion-MNIST',
    sampleShape: [28, 28, 1],
    classNames: FASHION_NAMES,
    mean: 0.286,
    deviation: 0.353,
    trainCount: 50_000,
    validationCount: 10_000,
    testCount: 10_000,
  },
  mnist: {
    name: 'mnist',
    title: 'MNIST',
    sampleShape: [28, 28, 1],
    classNames: DIGIT_NAMES,
    mean: 0.1307,
    deviation: 0.3081,
    trainCount: 50_000,
    validationCount: 10_000,
    testCount: 10_000,
  },
  cifar10: {
    ...CIFAR,
    name: 'cifar10',
    title: 'CIFAR-10',
    trainCount: 45_000,
    validationCount: 5_000,
    testCount: 10_000,
  },
  'cifar10-first4000': {
    ...CIFAR,
    name: 'cifar10-first4000',
    title: 'CIFAR-10, its first 4,000 images',
    trainCount: 3_000,
    validationCount: 500,
    testCount: 500,
  },
} as const satisfies Record<DatasetName, DatasetSpec>;
