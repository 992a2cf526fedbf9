// The learning rate by samples consumed: however many workers there are, an epoch is an epoch.

export type Schedule = {
  /** Linear from `from`·learningRate to learningRate over this many epochs. */
  readonly warmup?: { readonly epochs: number; readonly from: number } | undefined;
  readonly decay?:
    | { readonly kind: 'constant' }
    /** Times `factor` at each of these epochs. */
    | { readonly kind: 'step'; readonly epochs: readonly number[]; readonly factor: number }
    /** Half a cosine from the end of the warm-up down to `floor`·learningRate at `epochs`, and constant after. */
    | { readonly kind: 'cosine'; readonly epochs: number; readonly floor: number }
    | undefined;
};

/** A warm-up from 0 begins here: local steps at a learning rate of 0 would be nothing to push. */
const WARMUP_FROM_MIN = 1e-6;

/** η after this many epochs (a fraction: samples consumed / samples an epoch). The peak is `learningRate` itself. */
export function learningRateAt(epochs: number, learningRate: number, schedule: Schedule): number {
  const { warmup, decay } = schedule;
  if (warmup && epochs < warmup.epochs) {
    const from = Math.max(warmup.from, WARMUP_FROM_MIN);
    return learningRate * (from + (1 - from) * (epochs / warmup.epochs));
  }
  switch (decay?.kind) {
    case undefined:
    case 'constant':
      return learningRate;
    case 'step':
      return learningRate * decay.factor ** decay.epochs.filter((at) => epochs >= at).length;
    case 'cosine': {
      const begin = warmup?.epochs ?? 0;
      const progress = Math.min(1, (epochs - begin) / Math.max(1e-9, decay.epochs - begin));
      return learningRate * (decay.floor + (1 - decay.floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
    default:
      return decay satisfies never;
  }
}
