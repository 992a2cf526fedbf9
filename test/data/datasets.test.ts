// Data sets from disk: small ones written here, the refusals an operator can meet, and the real files where there are any.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DataFileError, loadDataset } from '../../server/adapters/datasets.ts';
import { loadSource } from '../../server/adapters/datasets/load.ts';
import type { Source } from '../../server/adapters/datasets/sources.ts';
import { DATASETS } from '../../shared/data/catalogue.ts';
import type { Dataset } from '../../shared/data/dataset.ts';
import type { Samples } from '../../shared/data/spec.ts';
import { cifarRecords, DATA_DIR, folderWith, idxImages, idxLabels } from './files.ts';

const SMALL_IDX: Source = {
  spec: { ...DATASETS.mnist, trainCount: 7, validationCount: 3, testCount: 4 },
  folder: 'small',
  publisher: 'https://example.org',
  train: [{ images: 'images', labels: 'labels', count: 10 }],
  test: [{ images: 'test-images', labels: 'test-labels', count: 4 }],
};

const SMALL_CIFAR: Source = {
  ...SMALL_IDX,
  spec: { ...DATASETS.cifar10, trainCount: 5, validationCount: 2, testCount: 1 },
  train: [
    { records: 'a.bin', count: 4 },
    { records: 'b.bin', count: 4 },
  ],
  test: [],
};

/** Image i is filled with i, and labelled i. */
const images = (count: number, side = 28): Uint8Array =>
  idxImages(
    [count, side, side],
    Uint8Array.from({ length: count * side * side }, (_, p) => Math.floor(p / side ** 2)),
  );
const labels = (count: number): Uint8Array => idxLabels(Uint8Array.from({ length: count }, (_, i) => i));

const SMALL_FILES = {
  'small/images': images(10),
  'small/labels': labels(10),
  'small/test-images': images(4),
  'small/test-labels': labels(4),
};

const classCounts = (...splits: Samples[]): number[] => {
  const counts = new Array<number>(10).fill(0);
  for (const split of splits) for (const label of split.labels) counts[label]!++;
  return counts;
};

const sizes = ({ train, validation, test }: Dataset): number[] => [train, validation, test].map((split) => split.count);

const firstBytes = ({ features, sampleBytes, count }: Samples): number[] =>
  Array.from({ length: count }, (_, i) => features[i * sampleBytes]!);

describe('an IDX source', () => {
  test('is split without loss or overlap, each image with its own label', async () => {
    const { train, validation, test } = await loadSource(SMALL_IDX, folderWith(SMALL_FILES));
    const pool = [...train.labels, ...validation.labels];
    expect(pool.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(validation.count).toBe(3);
    for (const split of [train, validation, test]) expect(firstBytes(split)).toEqual(Array.from(split.labels));
    expect(Array.from(test.labels)).toEqual([0, 1, 2, 3]);
  });

  test('reads the same packed as plain, and splits the same every time', async () => {
    const packed = Object.entries(SMALL_FILES).map(([path, bytes]) => [`${path}.gz`, gzipSync(bytes)] as const);
    const fromPlain = await loadSource(SMALL_IDX, folderWith(SMALL_FILES));
    expect(await loadSource(SMALL_IDX, folderWith(Object.fromEntries(packed)))).toEqual(fromPlain);
  });

  const { 'small/images': whole, ...withoutImages } = SMALL_FILES;
  test.each([
    ['a missing file', {}, /^No file images or images\.gz in \/.*small: get it from https:\/\/example\.org\.$/],
    ['a truncated file', { 'small/images': whole.subarray(0, 999) }, /images: 999 bytes, expected 7856 for 10×28×28/],
    [
      'truncated gzip',
      { 'small/images.gz': gzipSync(whole).subarray(0, 50) },
      /images\.gz does not unpack \(.*fetch it/,
    ],
    ['what is not gzip', { 'small/images.gz': whole }, /images\.gz does not unpack \(incorrect header check\)/],
    ['a gzip bomb', { 'small/images.gz': gzipSync(new Uint8Array(65 << 20)) }, /images\.gz does not unpack/],
    ['labels for images', { 'small/images': labels(10) }, /images: starts with 0x801, expected 0x803/],
    ['too few images', { 'small/images': images(9) }, /images: 9 samples, expected 10\.$/],
    ['images of another size', { 'small/images': images(10, 20) }, /images: images of 20×20 pixels, expected 28×28\.$/],
    ['too many labels', { 'small/images': whole, 'small/labels': labels(11) }, /labels: label 10 is 10/],
    ['too few labels', { 'small/images': whole, 'small/labels': labels(9) }, /labels: 9 samples, expected 10\.$/],
    ['a folder for a file', { 'small/images/x': whole }, /images cannot be read \(EISDIR\)\.$/],
  ])('refuses %s in one sentence', async (_, files, sentence) => {
    const folder = folderWith({ ...withoutImages, ...files });
    const refusal = await loadSource(SMALL_IDX, folder).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(DataFileError);
    expect((refusal as DataFileError).message).toMatch(sentence);
    expect((refusal as DataFileError).message.split('\n')).toHaveLength(1);
  });
});

describe('a CIFAR source', () => {
  const files = { 'small/a.bin': cifarRecords(4, (i) => i), 'small/b.bin.gz': gzipSync(cifarRecords(4, (i) => i + 4)) };

  test('joins its files, packed or not, and cuts three splits without overlap', async () => {
    const { train, validation, test } = await loadSource(SMALL_CIFAR, folderWith(files));
    expect(sizes({ spec: SMALL_CIFAR.spec, train, validation, test })).toEqual([5, 2, 1]);
    const all = [...train.labels, ...validation.labels, ...test.labels];
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(firstBytes(train)).toEqual(Array.from(train.labels, (label) => label % 4));
  });

  test('refuses a file with a record too many', async () => {
    const folder = folderWith({ ...files, 'small/a.bin': cifarRecords(5, () => 0) });
    await expect(loadSource(SMALL_CIFAR, folder)).rejects.toThrow(/a\.bin: 5 samples, expected 4\.$/);
  });
});

describe('loadDataset', () => {
  test('draws the digits: as many as the catalogue says, balanced, the same every time', async () => {
    const digits = await loadDataset('digits', { dataDir: '/nowhere' });
    expect(sizes(digits)).toEqual([12_000, 2_000, 2_000]);
    expect(classCounts(digits.train)).toEqual(new Array<number>(10).fill(1200));
    const again = await loadDataset('digits', { dataDir: '/elsewhere' });
    expect(Buffer.compare(again.train.features, digits.train.features)).toBe(0);
    const other = await loadDataset('digits', { dataDir: '/elsewhere', seed: 2 });
    expect(Buffer.compare(other.train.features, digits.train.features)).not.toBe(0);
  });

  test('says which names there are', async () => {
    await expect(loadDataset('imagenet', { dataDir: '.' })).rejects.toThrow(
      'No data set is called "imagenet": choose digits, fashion-mnist,',
    );
  });

  test.each(['fashion-mnist', 'mnist', 'cifar10', 'cifar10-first4000'])(
    'says what %s lacks, where it looked, and who has it',
    async (name) => {
      await expect(loadDataset(name, { dataDir: '/nowhere' })).rejects.toThrow(
        /^No file \S+ or \S+\.gz in \/nowhere\/\S+: get it from http.*\.$/,
      );
    },
  );
});

describe.skipIf(!existsSync(join(DATA_DIR, 'fashion-mnist')))('Fashion-MNIST as published (needs DATA_DIR)', () => {
  test('has 60,000 and 10,000 images in balanced classes, and a split that a seed does not move', async () => {
    const set = await loadDataset('fashion-mnist', { dataDir: DATA_DIR });
    expect(sizes(set)).toEqual([50_000, 10_000, 10_000]);
    expect(classCounts(set.train, set.validation)).toEqual(new Array<number>(10).fill(6000));
    expect(classCounts(set.test)).toEqual(new Array<number>(10).fill(1000));
    const ofClass = classCounts(set.validation);
    expect(Math.min(...ofClass)).toBeGreaterThan(900);
    expect(set.train.features.reduce((sum, level) => sum + level, 0) / 50_000 / 784 / 255).toBeCloseTo(0.286, 2);
    const again = await loadDataset('fashion-mnist', { dataDir: DATA_DIR, seed: 99 });
    expect(Buffer.compare(again.validation.features, set.validation.features)).toBe(0);
  });
});

const FIRST = 'cifar10/official_data_batch_1_first4000.bin.gz';
describe.skipIf(!existsSync(join(DATA_DIR, FIRST)))('the first 4,000 images of CIFAR-10 (needs DATA_DIR)', () => {
  test('load as 3,000, 500 and 500 with every class in each', async () => {
    const set = await loadDataset('cifar10-first4000', { dataDir: DATA_DIR });
    expect(sizes(set)).toEqual([3_000, 500, 500]);
    expect(set.train.sampleBytes).toBe(3072);
    for (const split of [set.train, set.validation, set.test]) {
      expect(Math.min(...classCounts(split))).toBeGreaterThan(split.count / 20);
    }
    const mean = set.train.features.reduce((sum, level) => sum + level, 0) / set.train.features.length / 255;
    expect(mean).toBeCloseTo(set.spec.mean, 2);
  });
});
