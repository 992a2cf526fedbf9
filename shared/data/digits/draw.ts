// Ink on a page: the line drawn with a round pen, anti-aliased, then faded and speckled as a cheap scanner would.

import type { Rng } from '../../rng.ts';
import type { Line } from './trace.ts';

/** Pen radii in pixels; ink from grey to black; speckle as the largest change of a pixel, both of 255. */
const PEN = { thin: 0.65, thick: 1.45, wander: 0.2, faint: 150, dark: 255, speckle: 34 } as const;
const FAR = 1e9;

/** A page under the pen: squared distances would not do, since the pen's radius changes along the line. */
export const newPage = (pagePixels: number): Float32Array => new Float32Array(pagePixels * pagePixels);

/**
 * Draws the line into `out`, u8 [side, side], 0 paper and 255 ink. `page` (side² floats) is scratch. A pixel's ink is
 * how far its centre lies inside the pen's edge, cut to one pixel of slope: exact distances to each segment.
 */
export function draw(line: Line, random: Rng, page: Float32Array, out: Uint8Array): void {
  const side = Math.sqrt(page.length);
  const radius = PEN.thin + (PEN.thick - PEN.thin) * random.next();
  const wander = PEN.wander * (2 * random.next() - 1);
  page.fill(FAR);
  for (let i = 1; i < line.count; i++) {
    if (line.lift[i] === 1) continue;
    press(page, side, line.xy.subarray(2 * i - 2, 2 * i + 2), radius * (1 + wander * (2 * (i / line.count) - 1)));
  }
  const ink = PEN.faint + (PEN.dark - PEN.faint) * random.next();
  const speckle = PEN.speckle * random.next();
  for (let p = 0; p < page.length; p++) {
    const cover = Math.min(1, Math.max(0, 0.5 - page[p]!));
    const level = ink * cover + speckle * (random.next() + random.next() - 1);
    out[p] = Math.min(255, Math.max(0, Math.round(level)));
  }
}

/** Lowers each pixel near the segment to its signed distance from the pen's edge. `ends`: x, y, x, y in pixels. */
function press(page: Float32Array, side: number, ends: Float64Array, radius: number): void {
  const [ax = 0, ay = 0, bx = 0, by = 0] = ends;
  const reach = radius + 0.5;
  const [dx, dy] = [bx - ax, by - ay];
  const perLength2 = 1 / Math.max(dx * dx + dy * dy, 1e-9);
  const top = Math.max(0, Math.floor(Math.min(ay, by) - reach));
  const bottom = Math.min(side - 1, Math.ceil(Math.max(ay, by) + reach));
  const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
  const right = Math.min(side - 1, Math.ceil(Math.max(ax, bx) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const px = x + 0.5 - ax;
      const py = y + 0.5 - ay;
      const t = Math.min(1, Math.max(0, (px * dx + py * dy) * perLength2));
      const far = Math.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2) - radius;
      if (far < page[y * side + x]!) page[y * side + x] = far;
    }
  }
}
