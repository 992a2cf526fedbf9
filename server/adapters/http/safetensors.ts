// A trained model to take home: θ by layer, in a format that others read.

import type { Layout } from '../../../shared/model/layout.ts';
import { encodeSafetensorsHead } from '../../../shared/safetensors.ts';
import type { Vec } from '../../../shared/vec.ts';

/** θ by layer, little-endian float32. Dense kernels are [inputs, units]; convolutions [height, width, inputs, filters]. */
export function encodeSafetensors(layout: Layout, theta: Vec, metadata: Readonly<Record<string, string>>): Buffer {
  const numbers = Buffer.from(theta.buffer, theta.byteOffset, theta.byteLength);
  return Buffer.concat([encodeSafetensorsHead(layout.entries, metadata), numbers]);
}
