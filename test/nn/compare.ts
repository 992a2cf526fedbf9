// What the numerical tests compare with: differences of the loss, and the size of a difference.

import type { LabelledBytes, Network } from '../../shared/nn/network.ts';
import type { Vec } from '../../shared/vec.ts';

/** ‖a − b‖₂ / ‖b‖₂ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/**
 * (L(θ + h·e_i) − L(θ − h·e_i)) / 2h for each i, or each of `indices`. The loss is float32 inside, so good to about
 * 1e-7/h; a step that crosses a kink of a ReLU is off by more.
 */
export async function differenceQuotients(
  network: Network,
  theta: Vec,
  batch: LabelledBytes,
  indices: readonly number[] = [...theta.keys()],
): Promise<Float64Array> {
  const step = 2 ** -9;
  const samples = { ...batch, sampleBytes: batch.features.length / batch.count };
  const lossAt = async (index: number, shift: number): Promise<number> => {
    const moved = theta.slice();
    moved[index]! += shift;
    return (await network.evaluate(moved, samples, batch.count)).loss / (moved[index]! - theta[index]!);
  };
  const quotients = new Float64Array(indices.length);
  for (const [i, index] of indices.entries()) {
    quotients[i] = ((await lossAt(index, step)) + (await lossAt(index, -step))) / 2;
  }
  return quotients;
}
