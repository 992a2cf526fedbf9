// A shard's bytes: what is hashed, sent once, and cached for ever. Labels first, then features.
//
//   offset  size  field
//        0     4  magic 'MSH1'
//        4     4  samples n (little-endian)
//        8     4  bytes a sample b
//       12     4  0
//       16     n  labels, one byte each
//     16+n   n·b  features

import type { Batch, Samples } from './spec.ts';

const MAGIC = 0x3148534d; // 'MSH1', read little-endian
const HEADER_BYTES = 16;

/** Copies the named samples, in order, into one shard. */
export function encodeShard(from: Samples, indices: Uint32Array): Uint8Array<ArrayBuffer> {
  const { sampleBytes } = from;
  const bytes = new Uint8Array(HEADER_BYTES + indices.length * (1 + sampleBytes));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, indices.length, true);
  view.setUint32(8, sampleBytes, true);
  indices.forEach((index, i) => {
    bytes[HEADER_BYTES + i] = from.labels[index]!;
    const at = HEADER_BYTES + indices.length + i * sampleBytes;
    bytes.set(from.features.subarray(index * sampleBytes, (index + 1) * sampleBytes), at);
  });
  return bytes;
}

/** Views a shard's bytes as samples. Throws when they are not a shard. */
export function decodeShard(bytes: Uint8Array): Samples {
  if (bytes.byteLength < HEADER_BYTES) throw new Error(`not a shard: ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const count = view.getUint32(4, true);
  const sampleBytes = view.getUint32(8, true);
  if (view.getUint32(0, true) !== MAGIC || bytes.byteLength !== HEADER_BYTES + count * (1 + sampleBytes)) {
    throw new Error(`not a shard: ${bytes.byteLength} bytes for ${count} samples of ${sampleBytes}`);
  }
  return {
    count,
    sampleBytes,
    labels: bytes.subarray(HEADER_BYTES, HEADER_BYTES + count),
    features: bytes.subarray(HEADER_BYTES + count),
  };
}

/** Copies a batch's samples out of its shard: `features` has batch.count · sampleBytes bytes, `labels` batch.count. */
export function gatherBatch(shard: Samples, batch: Batch, out: { features: Uint8Array; labels: Uint8Array }): void {
  const { sampleBytes } = shard;
  for (let j = 0; j < batch.count; j++) {
    const index = (batch.offset + (batch.start + j) * batch.stride) % shard.count;
    out.labels[j] = shard.labels[index]!;
    out.features.set(shard.features.subarray(index * sampleBytes, (index + 1) * sampleBytes), j * sampleBytes);
  }
}
