// The compiled kernels, instantiated at first use and once. Not every host can: where WebAssembly or its SIMD is missing,
// or a content security policy forbids it, there are none, and the loops in TypeScript give the same bits, later.

import { BINARY } from './binary.ts';

/** Kernels over n elements. Arguments: n, then a byte address for each vector, then the numbers of the function. */
export type KernelName =
  | 'axpy'
  | 'scale'
  | 'addScaled'
  | 'decayAdd'
  | 'decayMean'
  | 'decaySquare'
  | 'decayAddTracked'
  | 'penalizeByGap'
  | 'compensate'
  | 'compensateAdaptively'
  | 'adaptiveStep'
  | 'sumSquares'
  | 'dot'
  | 'sumSquaredDifferences'
  | 'maxAbs'
  | 'encodeF16'
  | 'decodeF16';

/** What kernels.as.ts exports. */
export interface Kernels extends Record<KernelName, (n: number, ...rest: number[]) => void> {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Clears the lanes of the sums and of the maximum. */
  begin(): void;
  sum(): number;
  maximum(): number;
}

let known: Kernels | null | undefined;

/** The kernels, or null where this host has none. */
export function kernels(): Kernels | null {
  if (known === undefined) known = instantiate();
  return known;
}

function instantiate(): Kernels | null {
  try {
    const binary = Uint8Array.from(atob(BINARY), (letter) => letter.charCodeAt(0));
    // Synchronous: 3 kB compile in under a millisecond, and even a page's main thread allows 4 kB.
    return new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as unknown as Kernels;
  } catch {
    return null;
  }
}
