// The sign of the project: a small flock. Decoration beside the name.

import { flock } from './flock.ts';

const BIRDS = flock(13);

export function Logo() {
  return (
    <svg className="logo" viewBox="-1 -0.7 2 1.4" aria-hidden="true" focusable="false">
      {BIRDS.map((bird) => (
        <circle key={`${bird.x}`} cx={bird.x} cy={bird.y} r={bird.radius * 1.9} />
      ))}
    </svg>
  );
}
