// The first θ: drawn on the coordinator from the run's seed, so every worker starts from the same numbers.

import type { Rng } from '../rng.ts';
import type { Vec } from '../vec.ts';
import type { Layout } from './layout.ts';

/**
 * Kernels from a normal of variance 2/fanIn (He et al. 2015, https://arxiv.org/abs/1502.01852, eq. 10), the last
 * layer's from 1/fanIn as no ReLU follows it; biases zero. One stream a tensor, so adding a layer moves no other.
 */
export function initialParams(layout: Layout, random: Rng): Vec {
  const theta = new Float32Array(layout.dim);
  const lastLayer = Math.max(...layout.entries.map((entry) => entry.layer));
  for (const entry of layout.entries) {
    if (entry.role === 'bias') continue;
    const gain = entry.layer === lastLayer ? 1 : 2;
    const deviation = Math.sqrt(gain / entry.fanIn);
    const stream = random.fork(`init/${entry.name}`);
    for (let i = entry.offset; i < entry.offset + entry.size; i++) theta[i] = deviation * stream.normal();
  }
  return theta;
}
