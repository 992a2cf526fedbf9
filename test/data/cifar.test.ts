// The CIFAR-10 reader: planes become pixels, and what is not whole records is refused.
import { expect, test } from 'vitest';
import { readCifar } from '../../shared/data/cifar.ts';
import { cifarRecords } from './files.ts';

test('interleaves the red, green and blue planes of each record', () => {
  const samples = readCifar(
    cifarRecords(3, (i) => i + 4),
    'f',
  );
  expect(samples).toMatchObject({ count: 3, sampleBytes: 3072 });
  expect(Array.from(samples.labels)).toEqual([4, 5, 6]);
  const pixel = (i: number, p: number): number[] => Array.from(samples.features.subarray(i * 3072 + 3 * p).slice(0, 3));
  for (const [i, p] of [
    [0, 0],
    [1, 33],
    [2, 1023],
  ] as const) {
    expect(pixel(i, p)).toEqual([(i + p) % 251, (i + 1024 + p) % 251, (i + 2048 + p) % 251]);
  }
});

test.each([0, 3072, 3074])('refuses %i bytes', (bytes) => {
  expect(() => readCifar(new Uint8Array(bytes), 'batch.bin')).toThrow(
    `batch.bin: ${bytes} bytes, expected a multiple of 3073`,
  );
});

test('refuses a label that is no class', () => {
  const records = cifarRecords(2, (i) => 9 + i);
  expect(() => readCifar(records, 'f')).toThrow('f: label 1 is 10, expected one below 10');
});
