// Request bodies with limits: of length, before a byte is read; of time, by their length; of memory, with all others that are
// under way and with those of the same address. Into memory that a Float32Array can view.

import type { IncomingMessage } from 'node:http';
import type { Guard } from '../../guard.ts';

export type BodyResult =
  /** `length` in bytes, also of a body that was not kept. */
  | { readonly ok: true; readonly bytes: Uint8Array; readonly length: number }
  | { readonly ok: false; readonly status: 400 | 408 | 411 | 413 | 503; readonly error: string };

export interface BodyRules {
  readonly bytesMax: number;
  /** Whose it is, as it is counted. */
  readonly address: string;
  /** False where nobody will look at it: it is let go by as it comes, takes no memory, and `bytes` are none. */
  readonly keep?: boolean;
}

/** After a body was not let in for want of memory. */
export const BODIES_RETRY_SECONDS = 2;
const NO_BYTES = new Uint8Array(0);

/** A body of exactly its Content-Length, at most `bytesMax`. Its memory begins at offset 0 of a buffer of its own. */
export async function readBody(
  request: IncomingMessage,
  { bytesMax, address, keep = true }: BodyRules,
  guard: Guard,
): Promise<BodyResult> {
  const length = Number(request.headers['content-length'] ?? NaN);
  if (!Number.isInteger(length) || length < 0)
    return { ok: false, status: 411, error: 'expected a Content-Length header' };
  if (length > bytesMax)
    return { ok: false, status: 413, error: `a body of ${length} bytes, at most ${bytesMax} expected` };
  if (keep && !guard.takeBody(address, length))
    return { ok: false, status: 503, error: 'the coordinator is reading as many bodies as it has memory for' };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    request.destroy();
  }, guard.bodyMs(length));
  try {
    return await read(request, length, keep);
  } catch {
    if (late) return { ok: false, status: 408, error: 'the body came too slowly' };
    return { ok: false, status: 400, error: 'the connection closed before the body was complete' };
  } finally {
    clearTimeout(timer);
    if (keep) guard.returnBody(address, length);
  }
}

async function read(request: IncomingMessage, length: number, keep: boolean): Promise<BodyResult> {
  const bytes = keep ? Buffer.allocUnsafeSlow(length) : null;
  let at = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes) chunk.copy(bytes, at); // Node's parser never hands over more than Content-Length
    at += chunk.length;
  }
  if (at !== length) return { ok: false, status: 400, error: `${at} bytes of ${length}` };
  return { ok: true, bytes: bytes ?? NO_BYTES, length };
}
