// Frames there and back, and every way of spoiling one.

import { crc32 as nodeCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeF16, encodeF16, f16Scale } from '../../shared/protocol/f16.ts';
import {
  CODEC_NAMES,
  decodeFrame,
  encodeFrame,
  FRAME_HEADER_BYTES,
  frameBytes,
  type CodecName,
  type FrameHeader,
} from '../../shared/protocol/frame.ts';
import type { FrameError } from '../../shared/protocol/reasons.ts';
import fc from '../property.ts';

const header = (length: number, codec: CodecName): FrameHeader => ({
  kind: 'gradient',
  codec,
  runKey: 0xdeadbeef,
  baseVersion: 4_000_000_001,
  length,
  layoutHash: 0xcafe0001,
});

function pack(vector: Float32Array, codec: CodecName): Uint8Array {
  const out = new Uint8Array(frameBytes(vector.length, codec));
  encodeFrame(out, header(vector.length, codec), vector);
  return out;
}

/** The vector after its rounding to binary16 with its scale. */
function rounded(vector: Float32Array): Float32Array {
  const halves = new Uint16Array(vector.length);
  encodeF16(halves, vector, f16Scale(vector));
  const out = new Float32Array(vector.length);
  decodeF16(out, halves, f16Scale(vector));
  return out;
}

/** Decodes against the full expectation. A refused frame's `out` is filled with NaN, so that its use would show. */
function unpack(frame: Uint8Array, length: number, codec: CodecName): Float32Array | FrameError {
  const out = new Float32Array(length).fill(NaN);
  const result = decodeFrame(out, frame, header(length, codec));
  return result.ok ? out : result.error;
}

const vectors = fc
  .array(fc.float({ noNaN: true, min: Math.fround(-3.4e38), max: Math.fround(3.4e38) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) => Float32Array.from(list));
const codecs = fc.constantFrom(...CODEC_NAMES);

/** Which error a wrong byte at this offset of the header must give. */
function errorAt(offset: number): readonly FrameError[] {
  if (offset < 4) return ['bad-magic'];
  if (offset < 6) return ['bad-version'];
  if (offset === 6) return ['bad-kind'];
  if (offset === 7) return ['bad-codec'];
  if (offset < 12) return ['wrong-run'];
  if (offset < 16) return ['wrong-base'];
  if (offset < 20) return ['wrong-length'];
  if (offset < 24) return ['wrong-layout'];
  if (offset < 28) return ['bad-checksum'];
  if (offset < FRAME_HEADER_BYTES) return ['bad-scale', 'bad-checksum'];
  return ['bad-checksum'];
}

describe('a frame', () => {
  it('[W1] has a header of 32 bytes, laid out as documented', () => {
    const bytes = pack(Float32Array.of(1, -2), 'f32');
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '4d55524d' +
        '0200' +
        '02' +
        '01' +
        'efbeadde' +
        '01286bee' +
        '02000000' +
        '0100feca' +
        Buffer.from(Uint32Array.of(nodeCrc32(bytes.subarray(28))).buffer).toString('hex') +
        '0000803f' +
        '0000803f' +
        '000000c0',
    );
  });

  it('[W1] brings an f32 vector over to the bit', () => {
    fc.assert(
      fc.property(vectors, (x) => {
        expect(unpack(pack(x, 'f32'), x.length, 'f32')).toEqual(x);
      }),
    );
  });

  it('[W5] an f16 vector that is rounded already comes over to the bit', () => {
    fc.assert(
      fc.property(vectors, (x) => {
        expect(unpack(pack(rounded(x), 'f16'), x.length, 'f16')).toEqual(rounded(x));
      }),
    );
  });

  it('[W4] an f16 vector comes over rounded to nearest with its own scale', () => {
    fc.assert(
      fc.property(vectors, (x) => {
        expect(unpack(pack(x, 'f16'), x.length, 'f16')).toEqual(rounded(x));
      }),
    );
  });

  it('[W8] is read at any offset, as Node hands its buffers over', () => {
    fc.assert(
      fc.property(vectors, codecs, fc.nat(9), (x, codec, offset) => {
        const frame = pack(x, codec);
        const pooled = Buffer.alloc(offset + frame.byteLength + 5, 0x55);
        pooled.set(frame, offset);
        const view = pooled.subarray(offset, offset + frame.byteLength);
        expect(unpack(view, x.length, codec)).toEqual(unpack(frame, x.length, codec));
      }),
    );
  });

  it('[W1] says what it holds', () => {
    const result = decodeFrame(new Float32Array(3), pack(Float32Array.of(1, 2, 3), 'f16'), { length: 3 });
    expect(result).toEqual({ ok: true, header: header(3, 'f16') });
  });

  it('[W1] a vector of another length than its header, or an output of another size, is our own error', () => {
    expect(() => encodeFrame(new Uint8Array(40), header(3, 'f32'), new Float32Array(2))).toThrow('invariant violation');
    const frame = pack(new Float32Array(3), 'f32');
    expect(() => decodeFrame(new Float32Array(2), frame, { length: 3 })).toThrow('invariant violation');
  });
});

describe('a spoiled frame', () => {
  it('[W2] with any one byte changed is refused with the reason of that field', () => {
    fc.assert(
      fc.property(vectors, codecs, fc.nat(), fc.integer({ min: 1, max: 255 }), (x, codec, at, change) => {
        const frame = pack(x, codec);
        const offset = at % frame.byteLength;
        frame[offset]! ^= change;
        expect(errorAt(offset)).toContain(unpack(frame, x.length, codec));
      }),
      { numRuns: 2000 },
    );
  });

  it('[W2] with any bit of its header changed is refused with the reason of that field', () => {
    for (let bit = 0; bit < FRAME_HEADER_BYTES * 8; bit++) {
      const frame = pack(Float32Array.of(1, 2), 'f16');
      frame[bit >> 3]! ^= 1 << (bit & 7);
      expect(errorAt(bit >> 3), `bit ${bit}`).toContain(unpack(frame, 2, 'f16'));
    }
  });

  it('[W2] cut short anywhere is truncated', () => {
    fc.assert(
      fc.property(vectors, codecs, fc.nat(), (x, codec, at) => {
        const frame = pack(x, codec);
        expect(unpack(frame.subarray(0, at % frame.byteLength), x.length, codec)).toBe('truncated');
      }),
    );
  });

  it('[W2] with anything after it is oversized', () => {
    fc.assert(
      fc.property(vectors, codecs, fc.uint8Array({ minLength: 1, maxLength: 64 }), (x, codec, more) => {
        expect(unpack(Buffer.concat([pack(x, codec), more]), x.length, codec)).toBe('oversized');
      }),
    );
  });

  it('[W2] read from the wrong offset is no frame', () => {
    const frame = pack(Float32Array.of(1, 2, 3), 'f32');
    for (let shift = 1; shift < 8; shift++) {
      const moved = Buffer.concat([frame.subarray(shift), new Uint8Array(shift)]);
      expect(unpack(moved, 3, 'f32')).toBe('bad-magic');
    }
  });

  it('[W2] arbitrary bytes are refused without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(decodeFrame(new Float32Array(4), bytes, { length: 4 }).ok).toBe(false);
      }),
    );
  });

  it('[W2] a header that claims a huge vector costs nothing: its length is compared first', () => {
    const frame = pack(Float32Array.of(1), 'f32');
    new DataView(frame.buffer).setUint32(16, 0xffffffff, true);
    expect(unpack(frame, 1, 'f32')).toBe('wrong-length');
  });
});

describe('a scale', () => {
  const withScale = (codec: CodecName, scale: number): Uint8Array => {
    const frame = pack(Float32Array.of(1, 2), codec);
    const view = new DataView(frame.buffer);
    view.setFloat32(28, scale, true);
    view.setUint32(24, nodeCrc32(frame.subarray(28)), true);
    return frame;
  };

  it.each([0, -1, NaN, Infinity, -0])('[W3] of %s is refused though the checksum is right', (scale) => {
    expect(unpack(withScale('f16', scale), 2, 'f16')).toBe('bad-scale');
  });

  it('[W3] other than 1 is refused with f32, where nothing is scaled', () => {
    expect(unpack(withScale('f32', 2), 2, 'f32')).toBe('bad-scale');
    expect(unpack(withScale('f16', 2), 2, 'f16')).toBeInstanceOf(Float32Array);
  });
});
