// A body of the data plane: one JSON object and at most one frame. The frame begins on a multiple of 8 bytes.
//
//   offset  size  field
//        0     4  bytes of JSON (little-endian)
//        4     4  bytes of the frame; 0 when there is none
//        8     j  JSON, UTF-8
//      8+j     p  zeros up to the next multiple of 8
//        …     f  the frame

import type { FrameError } from './reasons.ts';

const ENVELOPE_HEADER_BYTES = 8;
/** Largest JSON of a push: a handful of numbers. Larger is refused unread. */
export const PUSH_JSON_BYTES_MAX = 4096;

const padded = (bytes: number): number => (bytes + 7) & ~7;

/** Bytes of an envelope with this much JSON and frame. */
export function envelopeBytes(jsonBytes: number, frameBytes: number): number {
  return ENVELOPE_HEADER_BYTES + (frameBytes === 0 ? jsonBytes : padded(jsonBytes) + frameBytes);
}

/** Everything of an envelope but its frame, which the caller sends right after: for a frame that is packed already. */
export function encodeEnvelopeHead(json: unknown, frameBytes: number): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const head = new Uint8Array(envelopeBytes(text.byteLength, frameBytes) - frameBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, text.byteLength, true);
  view.setUint32(4, frameBytes, true);
  head.set(text, ENVELOPE_HEADER_BYTES);
  return head;
}

export type EnvelopeResult =
  | { readonly ok: true; readonly json: unknown; readonly frame: Uint8Array | null }
  | { readonly ok: false; readonly error: FrameError };

/** Splits a body into its JSON (not yet validated) and its frame (a view). Never throws. */
export function decodeEnvelope(bytes: Uint8Array, jsonBytesMax: number): EnvelopeResult {
  if (bytes.byteLength < ENVELOPE_HEADER_BYTES) return { ok: false, error: 'truncated' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, ENVELOPE_HEADER_BYTES);
  const jsonBytes = view.getUint32(0, true);
  const frameBytes = view.getUint32(4, true);
  if (jsonBytes > jsonBytesMax) return { ok: false, error: 'oversized' };
  const size = envelopeBytes(jsonBytes, frameBytes);
  if (bytes.byteLength < size) return { ok: false, error: 'truncated' };
  if (bytes.byteLength > size) return { ok: false, error: 'oversized' };
  const jsonEnd = ENVELOPE_HEADER_BYTES + jsonBytes;
  const text = bytes.subarray(ENVELOPE_HEADER_BYTES, jsonEnd);
  if (bytes.subarray(jsonEnd, size - frameBytes).some((byte) => byte !== 0)) return { ok: false, error: 'misaligned' };
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    return { ok: true, json, frame: frameBytes === 0 ? null : bytes.subarray(size - frameBytes) };
  } catch {
    return { ok: false, error: 'malformed-json' };
  }
}
