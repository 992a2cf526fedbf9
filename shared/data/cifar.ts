// Reader of CIFAR-10's binary version (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html), from bytes already
// unpacked: records of one label byte and 3,072 of pixels, plane by plane (red, green, blue), each 32×32 row by row.
// It opens no files; the pixels come out interleaved, [32, 32, 3].

import type { Samples } from './spec.ts';

export const CIFAR_SAMPLE_BYTES = 3072;
const RECORD_BYTES = 1 + CIFAR_SAMPLE_BYTES;
const PLANE = 1024;
const CLASS_COUNT = 10;

/** Copies the records of one file. Throws one sentence, which names `file`, when the bytes are not whole records. */
export function readCifar(bytes: Uint8Array, file: string): Samples {
  if (bytes.byteLength === 0 || bytes.byteLength % RECORD_BYTES !== 0) {
    throw new Error(`${file}: ${bytes.byteLength} bytes, expected a multiple of ${RECORD_BYTES} (CIFAR-10 records)`);
  }
  const count = bytes.byteLength / RECORD_BYTES;
  const labels = new Uint8Array(count);
  const features = new Uint8Array(count * CIFAR_SAMPLE_BYTES);
  for (let i = 0; i < count; i++) {
    const record = bytes.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES);
    const label = record[0]!;
    if (label >= CLASS_COUNT) throw new Error(`${file}: label ${i} is ${label}, expected one below ${CLASS_COUNT}`);
    labels[i] = label;
    interleave(record.subarray(1), features.subarray(i * CIFAR_SAMPLE_BYTES, (i + 1) * CIFAR_SAMPLE_BYTES));
  }
  return { count, sampleBytes: CIFAR_SAMPLE_BYTES, labels, features };
}

/** [3, 1024] → [1024, 3]. */
function interleave(planes: Uint8Array, out: Uint8Array): void {
  for (let p = 0; p < PLANE; p++) {
    out[3 * p] = planes[p]!;
    out[3 * p + 1] = planes[PLANE + p]!;
    out[3 * p + 2] = planes[2 * PLANE + p]!;
  }
}
