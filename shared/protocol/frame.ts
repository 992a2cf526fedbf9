// A vector on the wire: a fixed little-endian header, then the payload, which begins on a multiple of 8 bytes.
// Not the message around it (see envelope.ts). The header repeats what the request says; the decoder checks it.
//
//   offset  size  field
//        0     4  magic 'MURM'
//        4     2  protocol version
//        6     1  kind: 1 params · 2 gradient · 3 pseudo-gradient
//        7     1  codec: 1 f32 · 2 f16
//        8     4  run key (FNV-1a of the run id)
//       12     4  base version
//       16     4  element count
//       20     4  layout hash
//       24     4  CRC-32 of all that follows: the scale and the payload
//       28     4  scale (float32): an element is its packed number times this; 1 for f32
//       32     …  payload

import type { Vec } from '../vec.ts';
import { crc32 as portableCrc32, type Crc32 } from './crc32.ts';
import { decodeF16, encodeF16, f16Scale, type PackedF16 } from './f16.ts';
import type { FrameError } from './reasons.ts';
import { PROTOCOL_VERSION } from './version.ts';

export const FRAME_HEADER_BYTES = 32;
/** Where the checksum begins to count. The fields before it are each compared with what the reader expects. */
const CHECKED_FROM = 28;
const MAGIC = 0x4d52554d; // 'MURM', read little-endian

const KINDS = { params: 1, gradient: 2, 'pseudo-gradient': 3 } as const;
const CODECS = { f32: 1, f16: 2 } as const;
export type FrameKind = keyof typeof KINDS;
export type CodecName = keyof typeof CODECS;
export const CODEC_NAMES = Object.keys(CODECS) as CodecName[];
export const CODEC_BYTES: Record<CodecName, number> = { f32: 4, f16: 2 };

/** What both ends must agree on before a payload is believed. */
export interface FrameHeader {
  readonly kind: FrameKind;
  readonly codec: CodecName;
  readonly runKey: number;
  readonly baseVersion: number;
  readonly length: number;
  readonly layoutHash: number;
}

/** Bytes of a whole frame of `length` elements. */
export function frameBytes(length: number, codec: CodecName): number {
  return FRAME_HEADER_BYTES + length * CODEC_BYTES[codec];
}

export interface EncodeOptions {
  readonly crc32?: Crc32;
  /** The vector as f16, when the caller has packed it already. */
  readonly packed?: PackedF16 | null;
}

/** Packs a vector into `out`, which has exactly `frameBytes` bytes and begins on a multiple of 4. */
export function encodeFrame(out: Uint8Array, header: FrameHeader, vector: Vec, options: EncodeOptions = {}): void {
  const { crc32 = portableCrc32, packed = null } = options;
  if (vector.length !== header.length || out.byteLength !== frameBytes(header.length, header.codec)) {
    throw new Error(`invariant violation: ${vector.length} elements into a frame of ${out.byteLength} bytes`);
  }
  const payload = out.subarray(FRAME_HEADER_BYTES);
  let scale = 1;
  if (header.codec === 'f32') {
    new Float32Array(payload.buffer, payload.byteOffset, vector.length).set(vector);
  } else {
    const halves = new Uint16Array(payload.buffer, payload.byteOffset, vector.length);
    scale = packed ? packed.scale : f16Scale(vector);
    if (packed) halves.set(packed.halves);
    else encodeF16(halves, vector, scale);
  }
  const view = new DataView(out.buffer, out.byteOffset, FRAME_HEADER_BYTES);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, PROTOCOL_VERSION, true);
  view.setUint8(6, KINDS[header.kind]);
  view.setUint8(7, CODECS[header.codec]);
  view.setUint32(8, header.runKey, true);
  view.setUint32(12, header.baseVersion, true);
  view.setUint32(16, header.length, true);
  view.setUint32(20, header.layoutHash, true);
  view.setFloat32(28, scale, true);
  view.setUint32(24, crc32(out.subarray(CHECKED_FROM)), true);
}

/** What the reader expects; a field left out is not checked. */
export type FrameExpectation = Partial<Omit<FrameHeader, 'length'>> & { readonly length: number };

export type FrameResult =
  { readonly ok: true; readonly header: FrameHeader } | { readonly ok: false; readonly error: FrameError };

/** Unpacks a frame into `out`, or names the first thing wrong with it and leaves `out` unspecified. Never throws. */
export function decodeFrame(
  out: Vec,
  frame: Uint8Array,
  expected: FrameExpectation,
  crc32: Crc32 = portableCrc32,
): FrameResult {
  const read = readHeader(frame, expected);
  if (!read.ok) return read;
  const { header, checksum, scale } = read;
  if (out.length !== header.length)
    throw new Error(`invariant violation: ${header.length} elements into ${out.length}`);
  if (crc32(frame.subarray(CHECKED_FROM)) !== checksum) return { ok: false, error: 'bad-checksum' };
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  if (header.codec === 'f32') {
    out.set(alignedView(Float32Array, payload, header.length));
  } else {
    decodeF16(out, alignedView(Uint16Array, payload, header.length), scale);
  }
  return { ok: true, header };
}

type HeaderResult =
  | { readonly ok: true; readonly header: FrameHeader; readonly checksum: number; readonly scale: number }
  | { readonly ok: false; readonly error: FrameError };

function readHeader(frame: Uint8Array, expected: FrameExpectation): HeaderResult {
  const refuse = (error: FrameError): HeaderResult => ({ ok: false, error });
  if (frame.byteLength < FRAME_HEADER_BYTES) return refuse('truncated');
  const view = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC) return refuse('bad-magic');
  if (view.getUint16(4, true) !== PROTOCOL_VERSION) return refuse('bad-version');
  const kind = nameOf(KINDS, view.getUint8(6));
  if (kind === undefined || (expected.kind !== undefined && kind !== expected.kind)) return refuse('bad-kind');
  const codec = nameOf(CODECS, view.getUint8(7));
  if (codec === undefined || (expected.codec !== undefined && codec !== expected.codec)) return refuse('bad-codec');
  const header: FrameHeader = {
    kind,
    codec,
    runKey: view.getUint32(8, true),
    baseVersion: view.getUint32(12, true),
    length: view.getUint32(16, true),
    layoutHash: view.getUint32(20, true),
  };
  if (expected.runKey !== undefined && header.runKey !== expected.runKey) return refuse('wrong-run');
  if (expected.layoutHash !== undefined && header.layoutHash !== expected.layoutHash) return refuse('wrong-layout');
  if (header.length !== expected.length) return refuse('wrong-length');
  if (expected.baseVersion !== undefined && header.baseVersion !== expected.baseVersion) return refuse('wrong-base');
  const size = frameBytes(header.length, codec);
  if (frame.byteLength < size) return refuse('truncated');
  if (frame.byteLength > size) return refuse('oversized');
  const scale = view.getFloat32(28, true);
  if (!(scale > 0) || !Number.isFinite(scale) || (codec === 'f32' && scale !== 1)) return refuse('bad-scale');
  return { ok: true, header, checksum: view.getUint32(24, true), scale };
}

function nameOf<K extends string>(codes: Record<K, number>, code: number): K | undefined {
  return (Object.keys(codes) as K[]).find((name) => codes[name] === code);
}

interface NumberArray<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/** Views bytes as numbers; copies first when the host handed them over at an odd offset (Node's pooled buffers do). */
function alignedView<T>(type: NumberArray<T>, bytes: Uint8Array, length: number): T {
  if (bytes.byteOffset % type.BYTES_PER_ELEMENT === 0) return new type(bytes.buffer, bytes.byteOffset, length);
  return new type(new Uint8Array(bytes).buffer, 0, length); // not slice(): a Node Buffer's shares its memory
}
