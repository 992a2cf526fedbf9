// Smaller images: each pixel the mean of a square of the larger ones, rounded to a byte.

import type { Samples } from '../../../shared/data/spec.ts';

/** [height, width, channels] → [side, side, channels]. Throws when the sides do not divide. */
export function poolImages(samples: Samples, shape: readonly [number, number, number], side: number): Samples {
  const [height, width, channels] = shape;
  if (height % side !== 0 || width % side !== 0) {
    throw new Error(`images of ${height}×${width} do not pool to ${side}×${side}: the sides must divide`);
  }
  const [tall, wide] = [height / side, width / side];
  const sampleBytes = side * side * channels;
  const features = new Uint8Array(samples.count * sampleBytes);
  for (let n = 0; n < samples.count; n++) {
    const image = samples.features.subarray(n * samples.sampleBytes, (n + 1) * samples.sampleBytes);
    for (let at = 0; at < sampleBytes; at++) {
      const channel = at % channels;
      const left = (Math.floor(at / channels) % side) * wide;
      const top = Math.floor(at / channels / side) * tall;
      let sum = 0;
      for (let y = top; y < top + tall; y++) {
        for (let x = left; x < left + wide; x++) sum += image[(y * width + x) * channels + channel]!;
      }
      features[n * sampleBytes + at] = Math.round(sum / (tall * wide));
    }
  }
  return { count: samples.count, sampleBytes, labels: samples.labels, features };
}
