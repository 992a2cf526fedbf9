// The shape of a murmuration: where the birds of the logo and of the volunteer page's picture fly. Pure.

export interface Bird {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/** Birds in the box [−1, 1] × [−0.6, 0.6]: an even spiral, bent into a wave that is thick ahead and thins out behind. */
export function flock(birds: number): Bird[] {
  return Array.from({ length: birds }, (_, i) => {
    const distance = Math.sqrt((i + 0.5) / birds);
    const angle = i * GOLDEN_ANGLE;
    const along = distance * Math.cos(angle);
    const across = distance * Math.sin(angle);
    const thickness = 0.29 + 0.15 * Math.cos(2.1 * along - 0.9);
    const bend = 0.17 * Math.sin(2.6 * along + 0.4);
    const fade = (1 - 0.5 * distance) * Math.sqrt(thickness / 0.44);
    return { x: along, y: across * thickness + bend, radius: (0.3 * fade) / Math.sqrt(birds) };
  });
}
