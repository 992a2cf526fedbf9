// The drawn digits: the same from the same seed, balanced, never shared between splits, and on the page.
import { describe, expect, test } from 'vitest';
import { DATASETS } from '../../shared/data/catalogue.ts';
import { drawDigits, type Split } from '../../shared/data/digits.ts';
import { SKELETONS } from '../../shared/data/digits/skeletons.ts';

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

const imagesOf = (split: Split, seed: number, count: number): string[] => {
  const { features, sampleBytes } = drawDigits({ seed, split, count });
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(features.subarray(i * sampleBytes, (i + 1) * sampleBytes)).toString('base64'),
  );
};

describe('drawDigits', () => {
  test('sample i of a seed and split is the same however many are drawn', () => {
    const few = imagesOf('train', 5, 30);
    const many = imagesOf('train', 5, 100);
    expect(few).toEqual(many.slice(0, 30));
  });

  test('another seed draws other samples', () => {
    const other = new Set(imagesOf('train', 6, 200));
    expect(imagesOf('train', 5, 200).some((image) => other.has(image))).toBe(false);
  });

  test('no sample occurs twice, within a split or between splits', () => {
    const all = SPLITS.flatMap((split) => imagesOf(split, 1, 1000));
    expect(new Set(all).size).toBe(3000);
  });

  test('every class has as many samples as any other', () => {
    const counts = new Array<number>(10).fill(0);
    for (const label of drawDigits({ seed: 1, split: 'test', count: 500 }).labels) counts[label]!++;
    expect(counts).toEqual(new Array<number>(10).fill(50));
  });

  test('every sample has ink, most of it away from the border', () => {
    const { features, sampleBytes, count } = drawDigits({ seed: 2, split: 'train', count: 1000 });
    for (let i = 0; i < count; i++) {
      const page = features.subarray(i * sampleBytes, (i + 1) * sampleBytes);
      const inked = page.reduce((sum, level) => sum + (level > 100 ? 1 : 0), 0);
      const onBorder = page.reduce((sum, level, p) => sum + (level > 100 && isBorder(p) ? 1 : 0), 0);
      expect(inked, `sample ${i}`).toBeGreaterThan(15);
      expect(onBorder / inked, `sample ${i}`).toBeLessThan(0.2);
    }
  });

  test("the catalogue's mean and deviation are those of the pixels", () => {
    const { features } = drawDigits({ seed: 1, split: 'train', count: 4000 });
    const mean = features.reduce((sum, level) => sum + level, 0) / features.length / 255;
    const square = features.reduce((sum, level) => sum + level * level, 0) / features.length / 255 ** 2;
    expect(mean).toBeCloseTo(DATASETS.digits.mean, 2);
    expect(Math.sqrt(square - mean * mean)).toBeCloseTo(DATASETS.digits.deviation, 2);
  });
});

test('every digit has several ways of being written, each with points that are numbers', () => {
  expect(SKELETONS).toHaveLength(10);
  for (const ways of SKELETONS) {
    expect(ways.length).toBeGreaterThanOrEqual(4);
    for (const { points, strokes } of ways) {
      expect(points.every((coordinate) => coordinate >= 0 && coordinate <= 100)).toBe(true);
      expect(strokes.every((stroke) => stroke.length >= 2 && Math.max(...stroke) < points.length / 2)).toBe(true);
    }
  }
});

const isBorder = (p: number): boolean => p < 28 || p >= 27 * 28 || p % 28 === 0 || p % 28 === 27;
