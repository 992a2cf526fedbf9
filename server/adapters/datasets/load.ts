// Loads one source from disk and splits it. Knows the two formats; knows no data set by name.

import { join, resolve } from 'node:path';
import { readCifar } from '../../../shared/data/cifar.ts';
import { concatSamples, takeSamples, type Dataset } from '../../../shared/data/dataset.ts';
import { readIdxImages, readIdxLabels } from '../../../shared/data/idx.ts';
import { sampleBytesOf, type DatasetSpec, type Samples } from '../../../shared/data/spec.ts';
import { permutation, rng } from '../../../shared/rng.ts';
import { DataFileError, parsePublished, readPublished, type Folder } from './files.ts';
import type { CifarFile, IdxFiles, Source, SourceFile } from './sources.ts';

/**
 * Reads the files under `dataDir` and cuts validation off the training files, by a permutation that depends on the data
 * set's name alone: every run of it is judged on the same samples. Throws DataFileError.
 */
export async function loadSource(source: Source, dataDir: string): Promise<Dataset> {
  const { spec } = source;
  const folder = { path: resolve(join(dataDir, source.folder)), publisher: source.publisher };
  const readAll = async (files: readonly SourceFile[]): Promise<Samples> => {
    const parts: Samples[] = [];
    for (const file of files) {
      parts.push('records' in file ? await readCifarFile(folder, file) : await readIdxFiles(folder, file, spec));
    }
    return concatSamples(parts);
  };
  const pool = await readAll(source.train);
  const order = permutation(pool.count, rng(`split/${spec.name}`));
  const validationEnd = spec.trainCount + spec.validationCount;
  return {
    spec,
    train: takeSamples(pool, order.subarray(0, spec.trainCount)),
    validation: takeSamples(pool, order.subarray(spec.trainCount, validationEnd)),
    test: source.test.length > 0 ? await readAll(source.test) : takeSamples(pool, order.subarray(validationEnd)),
  };
}

async function readIdxFiles(folder: Folder, files: IdxFiles, spec: DatasetSpec): Promise<Samples> {
  const { count } = files;
  const imagesFile = await readPublished(folder, files.images);
  const images = parsePublished(imagesFile, readIdxImages);
  const [height, width] = spec.sampleShape;
  if (images.height !== height || images.width !== width) {
    const found = `${images.height}×${images.width}`;
    throw new DataFileError(`${imagesFile.path}: images of ${found} pixels, expected ${height}×${width}.`);
  }
  mustCount(imagesFile.path, { found: images.count, expected: count });
  const labelsFile = await readPublished(folder, files.labels);
  const labels = parsePublished(labelsFile, (bytes, path) => readIdxLabels(bytes, path, spec.classNames.length));
  mustCount(labelsFile.path, { found: labels.length, expected: count });
  return { count, sampleBytes: sampleBytesOf(spec.sampleShape), labels, features: images.pixels };
}

async function readCifarFile(folder: Folder, { records, count }: CifarFile): Promise<Samples> {
  const file = await readPublished(folder, records);
  const samples = parsePublished(file, readCifar);
  mustCount(file.path, { found: samples.count, expected: count });
  return samples;
}

function mustCount(path: string, { found, expected }: { found: number; expected: number }): void {
  if (found !== expected) throw new DataFileError(`${path}: ${found} samples, expected ${expected}.`);
}
