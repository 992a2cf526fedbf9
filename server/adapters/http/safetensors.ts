// A trained model to take home: the safetensors format (https://github.com/huggingface/safetensors, "Format"), which
// PyTorch, JAX and others read. Eight bytes of header length, a JSON header, then the tensors as they lie in θ.

import type { Layout } from '../../../shared/model/layout.ts';
import type { Vec } from '../../../shared/vec.ts';

/** θ by layer, little-endian float32. Dense kernels are [inputs, units]; convolutions [height, width, inputs, filters]. */
export function encodeSafetensors(layout: Layout, theta: Vec, metadata: Readonly<Record<string, string>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const { name, shape, offset, size } of layout.entries) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset * 4, (offset + size) * 4] };
  }
  const text = JSON.stringify(header);
  const padded = text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8), ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(padded)));
  const numbers = Buffer.from(theta.buffer, theta.byteOffset, theta.byteLength);
  return Buffer.concat([length, Buffer.from(padded), numbers]);
}
