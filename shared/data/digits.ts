// The embedded data set: ten digits, written afresh from a seed by strokes of our own, so that a run needs no download.
// Each sample is drawn from its own stream, named by seed, split and number: sample 7 is the same however many there are.

import { rng } from '../rng.ts';
import { distort } from './digits/distort.ts';
import { draw, newPage } from './digits/draw.ts';
import { SKELETONS } from './digits/skeletons.ts';
import { newLine, trace } from './digits/trace.ts';
import type { Samples } from './spec.ts';

export type Split = 'train' | 'validation' | 'test';

export interface DigitsOptions {
  readonly seed: number | string;
  readonly split: Split;
  readonly count: number;
}

export const DIGIT_PIXELS = 28;

/** Draws `count` samples, u8 [28, 28, 1], 0 paper and 255 ink; sample i shows the digit i mod 10. */
export function drawDigits({ seed, split, count }: DigitsOptions): Samples {
  const sampleBytes = DIGIT_PIXELS * DIGIT_PIXELS;
  const labels = new Uint8Array(count);
  const features = new Uint8Array(count * sampleBytes);
  const streams = rng(`digits/${seed}/${split}`);
  const line = newLine();
  const page = newPage(DIGIT_PIXELS);
  for (let i = 0; i < count; i++) {
    const digit = i % SKELETONS.length;
    const random = streams.fork(String(i));
    const ways = SKELETONS[digit]!;
    trace(ways[random.below(ways.length)]!, random, line);
    distort(line, random, DIGIT_PIXELS);
    draw(line, random, page, features.subarray(i * sampleBytes, (i + 1) * sampleBytes));
    labels[i] = digit;
  }
  return { count, sampleBytes, labels, features };
}
