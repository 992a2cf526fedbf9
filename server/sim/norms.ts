// A control, no method: the length of what lies below each LayerNorm is put back to its first after every push. The network
// computes the same before and after, so that only what lengths do to training is gone.

import type { Layout } from '../../shared/model/layout.ts';
import type { ModelSpec } from '../../shared/model/spec.ts';
import { scale, sumSquares, type Vec } from '../../shared/vec.ts';

export class HeldNorms {
  /** Where the parameters of each layer below a LayerNorm lie in θ: its kernel and its bias. */
  readonly #spans: readonly { readonly from: number; readonly to: number }[];
  #first: readonly number[] | null = null;

  constructor({ layers }: ModelSpec, { entries }: Layout) {
    const below = (layer: number): boolean => layers[layer + 1]?.kind === 'layer-norm';
    const layersBelow = [...new Set(entries.map(({ layer }) => layer))].filter(below);
    this.#spans = layersBelow.map((layer) => {
      const own = entries.filter((entry) => entry.layer === layer);
      return {
        from: Math.min(...own.map(({ offset }) => offset)),
        to: Math.max(...own.map(({ offset, size }) => offset + size)),
      };
    });
    if (this.#spans.length === 0) throw new Error('heldNorms: the model has no layer below a LayerNorm');
  }

  /** Scales θ in place. The first call says what the lengths are held at. */
  hold(theta: Vec): void {
    const parts = this.#spans.map(({ from, to }) => theta.subarray(from, to));
    const norms = parts.map((part) => Math.sqrt(sumSquares(part)));
    this.#first ??= norms;
    parts.forEach((part, i) => scale(part, this.#first![i]! / norms[i]!));
  }
}
