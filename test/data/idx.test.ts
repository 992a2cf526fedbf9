// The IDX reader: what it accepts, and that each refusal names the file, the finding and the expectation.
import { describe, expect, test } from 'vitest';
import { readIdxImages, readIdxLabels } from '../../shared/data/idx.ts';
import { idxImages, idxLabels } from './files.ts';

describe('readIdxImages', () => {
  test('views count, height and width, and the pixels row by row', () => {
    const pixels = Uint8Array.from({ length: 2 * 3 * 4 }, (_, i) => i);
    const images = readIdxImages(idxImages([2, 3, 4], pixels), 'f');
    expect(images).toMatchObject({ count: 2, height: 3, width: 4 });
    expect(Array.from(images.pixels)).toEqual(Array.from(pixels));
  });

  test('reads a view that starts in the middle of its buffer', () => {
    const file = idxImages([1, 1, 2], Uint8Array.of(7, 9));
    const padded = new Uint8Array(file.length + 3);
    padded.set(file, 3);
    expect(Array.from(readIdxImages(padded.subarray(3), 'f').pixels)).toEqual([7, 9]);
  });

  test('refuses a labels file', () => {
    expect(() => readIdxImages(idxLabels(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)), 'train-images')).toThrow(
      'train-images: starts with 0x801, expected 0x803 (IDX images)',
    );
  });

  test.each([1, -1])('refuses a file whose size is off by %i', (change) => {
    const right = idxImages([2, 3, 4], new Uint8Array(24));
    const wrong = new Uint8Array(right.length + change);
    wrong.set(right.subarray(0, wrong.length));
    expect(() => readIdxImages(wrong, 'f')).toThrow(`f: ${40 + change} bytes, expected 40 for 2×3×4 images`);
  });

  test('refuses a file that ends inside its header', () => {
    expect(() => readIdxImages(idxImages([1, 1, 1], Uint8Array.of(0)).subarray(0, 15), 'f')).toThrow(
      'f: 15 bytes, expected an IDX header of 16 for images',
    );
  });

  test('refuses images without pixels', () => {
    expect(() => readIdxImages(idxImages([5, 0, 28], new Uint8Array()), 'f')).toThrow('f: images of 0×28 pixels');
  });
});

describe('readIdxLabels', () => {
  test('views the labels', () => {
    expect(Array.from(readIdxLabels(idxLabels(Uint8Array.of(0, 9, 3)), 'f', 10))).toEqual([0, 9, 3]);
  });

  test('refuses a label that is no class', () => {
    expect(() => readIdxLabels(idxLabels(Uint8Array.of(0, 10)), 'f', 10)).toThrow(
      'f: label 1 is 10, expected one below 10',
    );
  });
});
