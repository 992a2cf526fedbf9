// Request bodies with a limit that is checked before a byte is read, into memory that a Float32Array can view.

import type { IncomingMessage } from 'node:http';

export type BodyResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly status: 400 | 411 | 413; readonly error: string };

/** A body of exactly its Content-Length, at most `bytesMax`. Its memory begins at offset 0 of a buffer of its own. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<BodyResult> {
  const length = Number(request.headers['content-length'] ?? NaN);
  if (!Number.isInteger(length) || length < 0)
    return { ok: false, status: 411, error: 'expected a Content-Length header' };
  if (length > bytesMax)
    return { ok: false, status: 413, error: `a body of ${length} bytes, at most ${bytesMax} expected` };
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunk.copy(bytes, at); // Node's parser never hands over more than Content-Length
      at += chunk.length;
    }
  } catch {
    return { ok: false, status: 400, error: 'the connection closed before the body was complete' };
  }
  return at === length ? { ok: true, bytes } : { ok: false, status: 400, error: `${at} bytes of ${length}` };
}
