// A run's snapshot made by hand: one of each kind of thing that it can hold.

import type { RunSnapshot } from '../../server/core/snapshot.ts';
import { parseRunFile } from '../../server/host/runfile.ts';

/** Nine parameters in two layers. */
export const LAYERS = [
  { name: '1.kernel', shape: [2, 3], offset: 0, size: 6 },
  { name: '1.bias', shape: [3], offset: 6, size: 3 },
];

const vector = (first: number): Float32Array => Float32Array.from({ length: 9 }, (_, i) => first + i / 3);

export function snapshotOf(version: number, ended = false): RunSnapshot {
  const config = parseRunFile(
    'id: digits\nname: Digits\ndataset: digits\nmodel: { name: softmax }\nmethod: { name: asgd, learningRate: 0.1 }',
    'test.yaml',
  );
  return {
    config,
    version,
    ended,
    facts: {
      lost: NaN,
      best: Infinity,
      worst: -Infinity,
      notes: ['ü', '$number'],
      $number: 'NaN',
      none: null,
      pi: Math.PI,
    },
    state: {
      theta: vector(version),
      outer: {
        v: vector(-version),
        'by/worker': Object.fromEntries([
          ['w~1', vector(1)],
          ['__proto__', vector(2)],
        ]),
        empty: new Float32Array(0),
        epochs: 1.1,
        minus: -0,
        nothing: NaN,
      },
    },
  };
}
