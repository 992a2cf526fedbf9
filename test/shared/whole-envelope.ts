// A whole envelope in one piece: the product packs the head and sends the frame after it.

import { encodeEnvelopeHead } from '../../shared/protocol/envelope.ts';

/** An envelope of the JSON with room for a frame of `frameBytes`: `frame` is a view of it. */
export function encodeEnvelope(
  json: unknown,
  frameBytes: number,
): { bytes: Uint8Array<ArrayBuffer>; frame: Uint8Array<ArrayBuffer> } {
  const head = encodeEnvelopeHead(json, frameBytes);
  const bytes = new Uint8Array(head.byteLength + frameBytes);
  bytes.set(head);
  return { bytes, frame: bytes.subarray(head.byteLength) };
}
