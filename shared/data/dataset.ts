// A data set in memory, as the coordinator holds it: three splits that share no sample. Volunteers see only shards of
// `train`; `validation` is what the dashboard plots; `test` is for the last word about a finished run.

import type { DatasetSpec, Samples } from './spec.ts';

export interface Dataset {
  readonly spec: DatasetSpec;
  readonly train: Samples;
  readonly validation: Samples;
  readonly test: Samples;
}

/** Copies the named samples, in order. */
export function takeSamples(from: Samples, indices: Uint32Array): Samples {
  const { sampleBytes } = from;
  const labels = new Uint8Array(indices.length);
  const features = new Uint8Array(indices.length * sampleBytes);
  indices.forEach((index, i) => {
    labels[i] = from.labels[index]!;
    features.set(from.features.subarray(index * sampleBytes, (index + 1) * sampleBytes), i * sampleBytes);
  });
  return { count: indices.length, sampleBytes, labels, features };
}

/** One after the other, in one piece. All must have samples of one size. */
export function concatSamples(parts: readonly Samples[]): Samples {
  const sampleBytes = parts[0]?.sampleBytes ?? 0;
  if (parts.some((part) => part.sampleBytes !== sampleBytes)) throw new Error('samples of different sizes do not join');
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const labels = new Uint8Array(count);
  const features = new Uint8Array(count * sampleBytes);
  let at = 0;
  for (const part of parts) {
    labels.set(part.labels, at);
    features.set(part.features, at * sampleBytes);
    at += part.count;
  }
  return { count, sampleBytes, labels, features };
}
