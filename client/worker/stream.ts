// Pulls and pushes over one WebSocket (shared/protocol/stream.ts): a fraction of what a browser's fetch costs. Opened when
// it is first needed, and again after it was lost; where it never opens, as behind some proxies, fetch goes on alone.

import {
  decodeStreamAnswer,
  encodeStreamRequestHead,
  STREAM_HEADER_BYTES,
  STREAM_UNKNOWN_TOKEN,
  type StreamVerb,
} from '../../shared/protocol/stream.ts';
import type { Failure } from '../../shared/volunteer/events.ts';
import { RequestError } from './ports.ts';

/** What is needed of a WebSocket: a browser's, or the `ws` package's in Node. */
export interface StreamSocket {
  binaryType: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
}
export type OpenSocket = (url: string) => StreamSocket;

/** Times in a row that it did not open, after which it is not tried again until the next welcome. */
const OPENINGS_FAILED_MAX = 2;
const OPENING_MS_MAX = 15_000;
/** A message was above the coordinator's limit. */
const TOO_LARGE = 1009;

interface Pending {
  readonly verb: StreamVerb;
  readonly waits: boolean;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: RequestError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export interface StreamRequestOptions {
  readonly verb: StreamVerb;
  readonly lease: string;
  /** Head and envelope; the head's place is at the front, `streamHeadBytes(lease)` long, and is written here. */
  readonly message: Uint8Array<ArrayBuffer>;
  readonly limitMs: number;
  /** Waits for new work: of no use once we leave. */
  readonly waits: boolean;
}

export class Stream {
  readonly #open: OpenSocket;
  readonly #pending = new Map<number, Pending>();
  #socket: Promise<StreamSocket> | null = null;
  #current: StreamSocket | null = null;
  #failedOpenings = 0;
  #requests = 0;
  #closed = false;

  constructor(open: OpenSocket) {
    this.#open = open;
  }

  /** False once it has proved not to open, for now. */
  get usable(): boolean {
    return this.#failedOpenings < OPENINGS_FAILED_MAX;
  }

  /** The coordinator can be reached again: what did not open while it was away may open now. */
  welcomed(): void {
    this.#failedOpenings = 0;
  }

  /** The body of the answer. Rejects with RequestError. The message is read before this gives up the thread. */
  async request(address: { url: string; token: string }, request: StreamRequestOptions): Promise<Uint8Array> {
    if (this.#closed && request.waits) throw network('the volunteer is leaving');
    const number = ++this.#requests;
    encodeStreamRequestHead(request.message, { number, verb: request.verb, lease: request.lease });
    if (this.#current) return this.#send(this.#current, number, request);
    const message = request.message.slice(); // until it is open, the caller may write over it
    const socket = await this.#opened(address);
    if (this.#closed && request.waits) {
      queueMicrotask(() => this.#closeWhenIdle()); // after a push that waited for the opening too
      throw network('the volunteer is leaving');
    }
    return this.#send(socket, number, { ...request, message });
  }

  /** Cuts off what waits for new work; the rest runs to its end, and then the connection is closed. */
  close(): void {
    this.#closed = true;
    for (const [number, { waits }] of this.#pending)
      if (waits) this.#settle(number)?.reject(network('the volunteer is leaving'));
    this.#closeWhenIdle();
  }

  #opened({ url, token }: { url: string; token: string }): Promise<StreamSocket> {
    this.#socket ??= new Promise((resolve, reject) => {
      const socket = this.#open(url);
      const timer = setTimeout(() => socket.close(), OPENING_MS_MAX);
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => {
        clearTimeout(timer);
        this.#failedOpenings = 0;
        this.#current = socket;
        socket.send(token);
        resolve(socket);
      };
      socket.onmessage = ({ data }) => this.#heard(new Uint8Array(data as ArrayBuffer));
      socket.onerror = () => undefined; // a close event follows
      socket.onclose = ({ code }) => {
        clearTimeout(timer);
        if (this.#current !== socket) this.#failedOpenings += 1;
        this.#lost(code);
        reject(network('the stream did not open'));
      };
    });
    return this.#socket;
  }

  #send(socket: StreamSocket, number: number, request: StreamRequestOptions): Promise<Uint8Array> {
    const { verb, message, limitMs, waits } = request;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(number)?.reject(network('no answer in time'));
        socket.close(); // nobody answers there
      }, limitMs);
      this.#pending.set(number, { verb, waits, resolve, reject, timer });
      socket.send(message);
    });
  }

  #heard(message: Uint8Array): void {
    if (message.byteLength < STREAM_HEADER_BYTES) return;
    const { number, status, retryAfterSeconds, body } = decodeStreamAnswer(message);
    const pending = this.#settle(number);
    if (status === 200) pending?.resolve(body);
    else {
      const retryAfterMs = retryAfterSeconds > 0 ? 1000 * retryAfterSeconds : undefined;
      const said = new TextDecoder().decode(body.subarray(0, 200));
      pending?.reject(new RequestError({ kind: 'status', status, retryAfterMs }, `${status} ${said}`));
    }
    if (this.#closed) this.#closeWhenIdle();
  }

  #lost(code: number): void {
    this.#socket = null;
    this.#current = null;
    for (const [number, { verb }] of this.#pending) {
      this.#settle(number)?.reject(new RequestError(failureOf(code, verb), `the stream was closed (${code})`));
    }
  }

  #settle(number: number): Pending | undefined {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    if (pending) clearTimeout(pending.timer);
    return pending;
  }

  #closeWhenIdle(): void {
    if (this.#pending.size === 0) this.#current?.close();
  }
}

/** What a close means for a request under way; in HTTP's terms, where it has some. */
function failureOf(code: number, verb: StreamVerb): Failure {
  if (code === STREAM_UNKNOWN_TOKEN) return { kind: 'status', status: 401 };
  if (code === TOO_LARGE && verb !== 'pull') return { kind: 'status', status: 413 };
  return { kind: 'network' };
}

const network = (reason: string): RequestError => new RequestError({ kind: 'network' }, reason);
