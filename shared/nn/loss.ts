// Loss and accuracy from logits that have been read back: a few thousand numbers, so doubles in plain code, where no
// backend's argMax or int32 casts can go wrong.

import { NORM_MAX } from '../protocol/norms.ts';
import { sumSquares, type Vec } from '../vec.ts';

export interface LossSum {
  /** Σ over samples of −log softmax(logits)[label], in nats. */
  readonly loss: number;
  /** Samples whose largest logit (the first, if tied) is the label's. */
  readonly correct: number;
}

/** The softmax cross-entropy of logits [labels.length, classes]. NaN when a logit is. */
export function crossEntropy(logits: Float32Array, labels: Uint8Array, classes: number): LossSum {
  let loss = 0;
  let correct = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const label = labels[i]!;
    let best = 0;
    for (let k = 1; k < classes; k++) if (row[k]! > row[best]!) best = k;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(row[k]! - row[best]!);
    loss += Math.log(sum) + row[best]! - row[label]!;
    if (best === label) correct++;
  }
  return { loss, correct };
}

export type GradientFault = 'non-finite' | 'too-large' | 'all-zero';

/** Why a gradient must not be pushed, or null. All-zero is what a WebGPU device gives after an invalid shader. */
export function gradientFault(gradient: Vec, loss: number): GradientFault | null {
  const energy = sumSquares(gradient);
  if (!Number.isFinite(energy) || !Number.isFinite(loss)) return 'non-finite';
  if (energy > NORM_MAX ** 2) return 'too-large';
  return energy === 0 ? 'all-zero' : null;
}
