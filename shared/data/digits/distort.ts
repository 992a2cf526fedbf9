// What a hand does to a digit: bends it smoothly, then turns, slants, stretches and misplaces it as a whole.

import type { Rng } from '../../rng.ts';
import type { Line } from './trace.ts';

const DEGREES = Math.PI / 180;
const BOX = 100;

/** How far each motion goes, for a page of 28 × 28 pixels. A uniform range is ± the number; a deviation is normal. */
const HAND = {
  glyphPixels: 19, // side of the box of 100 on the page
  turnDegrees: 15,
  slant: 0.28, // horizontal pixels a vertical pixel
  shrink: 0.22, // each axis is scaled by 1 − shrink … 1 + shrink/2
  offsetPixels: 2.2,
  bendDeviation: 2.6, // of the box: each of the waves below
} as const;

/** Waves across the box that bend the digit, in whole turns over x and over y. */
const WAVES: readonly (readonly [number, number])[] = [
  [0.5, 0.3],
  [-0.3, 0.6],
  [0.8, 0.9],
];

/** Moves the line, in place, from the skeleton's box of 100 to the pixels of a page `pagePixels` on a side. */
export function distort(line: Line, random: Rng, pagePixels: number): void {
  bend(line, random);
  const spread = (most: number): number => most * (2 * random.next() - 1);
  const turn = spread(HAND.turnDegrees) * DEGREES;
  const slant = spread(HAND.slant);
  const scale = HAND.glyphPixels / BOX;
  const wide = scale * (1 - HAND.shrink + 1.5 * HAND.shrink * random.next());
  const tall = scale * (1 - HAND.shrink + 1.5 * HAND.shrink * random.next());
  const x0 = pagePixels / 2 + spread(HAND.offsetPixels);
  const y0 = pagePixels / 2 + spread(HAND.offsetPixels);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  for (let i = 0; i < line.count; i++) {
    const v = tall * (line.xy[2 * i + 1]! - BOX / 2);
    const u = wide * (line.xy[2 * i]! - BOX / 2) - slant * v;
    line.xy[2 * i] = x0 + cos * u - sin * v;
    line.xy[2 * i + 1] = y0 + sin * u + cos * v;
  }
}

/** Adds a few slow sine waves of random phase and direction to every point: an elastic sheet, pulled here and there. */
function bend(line: Line, random: Rng): void {
  for (const [overX, overY] of WAVES) {
    const dx = HAND.bendDeviation * random.normal();
    const dy = HAND.bendDeviation * random.normal();
    const phase = 2 * Math.PI * random.next();
    for (let i = 0; i < line.count; i++) {
      const along = (overX * line.xy[2 * i]! + overY * line.xy[2 * i + 1]!) / BOX;
      const wave = Math.sin(2 * Math.PI * along + phase);
      line.xy[2 * i] = line.xy[2 * i]! + dx * wave;
      line.xy[2 * i + 1] = line.xy[2 * i + 1]! + dy * wave;
    }
  }
}
