// Is what was pushed what the lease asks for, the vector and the loss that came with it? Both were computed from the same
// samples and the same parameters, but on different hardware, whose sums round differently: equal within a tolerance, never
// to the bit.

import type { CodecName } from '../../../shared/protocol/frame.ts';
import type { Work } from '../../../shared/protocol/lease.ts';
import { axpy, dot, sumSquares, type Vec } from '../../../shared/vec.ts';

interface Tolerance {
  /** At least. */
  readonly cosine: number;
  /** ‖pushed − computed‖/‖computed‖, at most; of the loss as well, whose error is that of the same logits. */
  readonly distance: number;
}

/**
 * wasm and cpu differ by 5e-7 in a gradient of float32 (test/server/checks.test.ts); any device is let in only when its
 * self-test is right to 1e-3 (shared/nn/selftest.ts), a tenth of this. A push that was rounded to f16 is off by another 2⁻¹¹
 * of each element, and a GPU that computes in half precision by up to 1e-2.
 */
const OF_GRADIENTS: Readonly<Record<CodecName, Tolerance>> = {
  f32: { cosine: 0.999, distance: 1e-2 },
  f16: { cosine: 0.99, distance: 0.1 },
};
/**
 * What float32 leaves of a gradient is off by some 1e-8/loss, since the closer the network's answers are to the labels, the
 * more of their difference is rounding (found: 5e-4 at a loss of 2e-5, 1e-2 at 1e-6). A hundred times that is let pass; where
 * it would be as long as half the gradient, there is nothing to compare.
 */
const ROUNDING = 1e-6;
const ROUNDING_MAX = 0.5;
/** Inner steps: each begins where the last one's rounding left it, and the differences grow. */
const OF_LOCAL_STEPS: Tolerance = { cosine: 0.99, distance: 0.1 };

export interface Comparison {
  readonly same: boolean;
  readonly cosine: number;
  readonly distance: number;
  /** |pushed − computed|/computed, of the losses. */
  readonly lossOff: number;
}

/** What there is to say of a check that nothing could be compared in. */
export const UNCOMPARED = { same: null, cosine: 0, distance: 0, lossOff: 0 } as const;

export interface Compared {
  readonly work: Work;
  readonly codec: CodecName;
  /** Mean over the samples, nats, as computed again: at the lease's parameters, or of inner steps each at its own. */
  readonly loss: number;
  /** As its worker said. */
  readonly pushedLoss: number;
}

/** Overwrites `pushed`. When what was computed is no gradient itself, nothing is to be held against the push: null. */
export function compare(pushed: Vec, computed: Vec, compared: Compared): Comparison | null {
  const { work, codec, loss, pushedLoss } = compared;
  const rounding = ROUNDING / loss;
  if (!(rounding < ROUNDING_MAX)) return null;
  const [ours, theirs] = [Math.sqrt(sumSquares(computed)), Math.sqrt(sumSquares(pushed))];
  if (!Number.isFinite(ours) || ours === 0) return null;
  const cosine = dot(pushed, computed) / (ours * theirs);
  axpy(pushed, -1, computed);
  const distance = Math.sqrt(sumSquares(pushed)) / ours;
  const tolerance = work.kind === 'local' ? OF_LOCAL_STEPS : OF_GRADIENTS[codec];
  const lossOff = Math.abs(pushedLoss - loss) / loss;
  const same =
    cosine >= tolerance.cosine - rounding ** 2 && Math.max(distance, lossOff) <= tolerance.distance + rounding;
  return { same, cosine, distance, lossOff };
}

/**
 * Whether the lease says all that its push depends on: a gradient does, and local steps do when the inner optimizer keeps
 * no memory and the worker no parameters from one lease to the next.
 */
export const recomputable = (work: Work): boolean =>
  work.kind === 'gradient' || (work.optimizer.name === 'sgd' && work.elastic === undefined);
