// The data plane over one WebSocket: the same envelopes as over HTTP, several exchanges on one connection. A browser's
// fetch costs it several times as much as a message. The first message is text, the worker's token; then, both ways:
//
//   offset  size  request                                     answer
//        0     4  number, the sender's own (little-endian)    the request's number
//        4     2  1 pull · 2 push · 3 push, no other lease    status as in HTTP: 200, 400, 503
//        6     2  bytes of the lease's id; 0 for a pull       seconds to wait before the next try; 0 for none
//        8     …  the lease's id (ASCII), zeros to 8 bytes    –
//        …     …  the envelope of a push                      the envelope; for a failure, JSON {error, reason?}

export const STREAM_VERBS = { pull: 1, push: 2, 'push-last': 3 } as const;
export type StreamVerb = keyof typeof STREAM_VERBS;

export const STREAM_HEADER_BYTES = 8;
/** Above the largest push: header and lease id. */
export const STREAM_OVERHEAD_BYTES = 128;
/** How the coordinator closes a stream whose token it does not know. The worker says hello again. */
export const STREAM_UNKNOWN_TOKEN = 4401;

/** Requests of one stream that may wait for their answers: a worker has one pull and one push under way. */
export const STREAM_REQUESTS_MAX = 8;

const padded = (bytes: number): number => (bytes + 7) & ~7;

export interface StreamRequest {
  readonly number: number;
  readonly verb: StreamVerb;
  readonly lease: string;
  /** A view of the message. */
  readonly body: Uint8Array;
}

/** Where the body of a request begins in its message: a multiple of 8. */
export const streamHeadBytes = (lease: string): number => STREAM_HEADER_BYTES + padded(lease.length);

/** Writes the head at the front of a message whose body is in its place. The lease's id is ASCII. */
export function encodeStreamRequestHead(
  message: Uint8Array,
  { number, verb, lease }: Omit<StreamRequest, 'body'>,
): void {
  const view = new DataView(message.buffer, message.byteOffset);
  view.setUint32(0, number, true);
  view.setUint16(4, STREAM_VERBS[verb], true);
  view.setUint16(6, lease.length, true);
  message.set(new TextEncoder().encode(lease), STREAM_HEADER_BYTES);
}

/** Reads a request; null when it is none. Never throws. */
export function decodeStreamRequest(message: Uint8Array): StreamRequest | null {
  if (message.byteLength < STREAM_HEADER_BYTES) return null;
  const view = new DataView(message.buffer, message.byteOffset, STREAM_HEADER_BYTES);
  const code = view.getUint16(4, true);
  const verb = (Object.keys(STREAM_VERBS) as StreamVerb[]).find((name) => STREAM_VERBS[name] === code);
  const leaseBytes = view.getUint16(6, true);
  const headBytes = STREAM_HEADER_BYTES + padded(leaseBytes);
  if (verb === undefined || (verb === 'pull') !== (leaseBytes === 0) || message.byteLength < headBytes) return null;
  const lease = new TextDecoder().decode(message.subarray(STREAM_HEADER_BYTES, STREAM_HEADER_BYTES + leaseBytes));
  if (!/^[\w.-]{0,64}$/.test(lease)) return null;
  return { number: view.getUint32(0, true), verb, lease, body: message.subarray(headBytes) };
}

/** The head of an answer. */
export function encodeStreamAnswer(number: number, status: number, retryAfterSeconds = 0): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(STREAM_HEADER_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, number, true);
  view.setUint16(4, status, true);
  view.setUint16(6, retryAfterSeconds, true);
  return head;
}

/** Reads an answer of at least a head's length. */
export function decodeStreamAnswer(message: Uint8Array): {
  number: number;
  status: number;
  retryAfterSeconds: number;
  body: Uint8Array;
} {
  const view = new DataView(message.buffer, message.byteOffset, STREAM_HEADER_BYTES);
  return {
    number: view.getUint32(0, true),
    status: view.getUint16(4, true),
    retryAfterSeconds: view.getUint16(6, true),
    body: message.subarray(STREAM_HEADER_BYTES),
  };
}
