// What happens to a pull and a push, whatever carries them: decoded, checked, handed to the coordinator, and its answer
// packed. The carriers are dataplane.ts (HTTP) and stream.ts (a WebSocket).

import { crc32 } from 'node:zlib';
import { asLeaseId, asRunId, type LeaseId, type RunId } from '../../../shared/ids.ts';
import { decodeEnvelope, encodeEnvelopeHead, PUSH_JSON_BYTES_MAX } from '../../../shared/protocol/envelope.ts';
import { decodeFrame, encodeFrame, frameBytes, type CodecName } from '../../../shared/protocol/frame.ts';
import type { PullReply, PushReply } from '../../../shared/protocol/lease.ts';
import { pushSchema, type PushMeta, type RunManifest } from '../../../shared/protocol/messages.ts';
import type { FrameError } from '../../../shared/protocol/reasons.ts';
import type { Vec } from '../../../shared/vec.ts';
import { RETRY_MS } from '../../core/desk.ts';
import type { Sent } from '../../core/sent.ts';
import type { Answer, Door, Identity } from '../../door.ts';
import type { Guard } from '../../guard.ts';
import { Unread } from './unread.ts';

export interface PlaneOptions {
  readonly door: Door;
  readonly guard: Guard;
  /** How a run's parameters are packed for its workers. */
  readonly paramsCodec: (run: RunId) => CodecName;
}

/** Where the answer to one request goes; called once. */
export interface AnswerSink {
  /** Nobody is there any more to read it. */
  readonly gone: boolean;
  /**
   * An envelope in two parts: everything up to the frame, and the frame, which many answers may share. `left` is called when
   * it has left this process, or never will.
   */
  answer(head: Uint8Array, frame: Uint8Array | null, left: () => void): void;
  fail(failure: PlaneFailure): void;
}

export interface PushRequest {
  readonly lease: string;
  /** None when the worker had no such lease as they began to come. */
  readonly bytes: Uint8Array;
  /** Of the body as it came. */
  readonly length: number;
  readonly wantsNext: boolean;
}

export interface PlaneFailure {
  /** Of HTTP, also where HTTP is not what carries it. */
  readonly status: 400 | 401 | 429 | 503;
  readonly error: string;
  readonly reason?: FrameError;
  readonly retryAfterSeconds?: number;
}

const FORGOTTEN: PlaneFailure = {
  status: 401,
  error: 'the worker was forgotten while its request was under way: say hello again',
};

/** A push against a lease that is not known: refused for that, whatever it says. */
const UNKNOWN = { ok: true, meta: { loss: 0, samples: 0 }, vector: new Float32Array(0) } as const;

/** For a worker that asks on and on and reads nothing, and for one that has left while it waited. */
const NO_LEASE: PullReply = { next: { kind: 'wait', retryAfterMs: RETRY_MS, reason: 'lease-limit' } };

export class Plane {
  readonly #door: Door;
  readonly #paramsCodec: PlaneOptions['paramsCodec'];
  /** Where pushes are unpacked: one vector a run, as an event is handled whole before the next is read. */
  readonly #scratch = new Map<RunId, Vec>();
  /** Packed once for all workers that are sent the same vector: the last of each run, as older ones are not sent again. */
  readonly #frames = new Map<RunId, { readonly sent: Sent; readonly frame: Uint8Array }>();
  readonly #unread = new Unread();
  readonly #guard: Guard;

  constructor({ door, guard, paramsCodec }: PlaneOptions) {
    this.#door = door;
    this.#guard = guard;
    this.#paramsCodec = paramsCodec;
  }

  /** 0 when this exchange is within its limits; else it has been answered so, if anybody hears, and these are the seconds to wait. */
  async heldBack(identity: Identity, address: string, sink: AnswerSink): Promise<number> {
    const seconds = await this.#guard.exchange(`${identity.run}/${identity.worker}`, address);
    if (seconds > 0 && !sink.gone)
      sink.fail({ status: 429, error: 'more requests than this worker may make', retryAfterSeconds: seconds });
    return seconds;
  }

  /** Gives back how to stop waiting for the answer. */
  pull(identity: Identity, sink: AnswerSink): () => void {
    if (!identity.online) {
      const error = 'the worker has said goodbye, or its control connection is closed: say hello again';
      sink.fail({ status: 503, error, retryAfterSeconds: 1 });
      return () => undefined;
    }
    return this.#askPull(identity, sink, (reply, sent) => this.#answer(identity, sink, { reply, sent, bytesIn: 0 }));
  }

  /** Gives back how to stop waiting for the answer; the push is counted. */
  push(identity: Identity, push: PushRequest, sink: AnswerSink): () => void {
    const { run, worker } = identity;
    let stop = (): void => undefined;
    if (!this.#door.identity(identity.token)) {
      sink.fail(FORGOTTEN);
      return stop;
    }
    const lease = asLeaseId(push.lease);
    const read = this.#door.knowsLease(run, worker, lease) ? this.#read(push.bytes, identity, lease) : UNKNOWN;
    if (!read.ok) {
      this.#door.dispatch({ type: 'unreadable', run, worker, error: read.error });
      const error = `the body is not a push of this lease: ${read.error}`;
      sink.fail({ status: 400, error, reason: read.error });
      return stop;
    }
    const { loss, samples } = read.meta;
    const bytesIn = push.length;
    const unread = this.#unread.has(identity);
    const wantsNext = push.wantsNext && identity.online && !unread;
    this.#door.ask(
      (request) => ({ type: 'push', run, worker, request, lease, vector: read.vector, loss, samples, wantsNext }),
      (reply, sent) => {
        if (!unread || !push.wantsNext) return this.#answer(identity, sink, { reply, sent, bytesIn });
        // Counted now, answered when the worker has read what it was sent before: then there is room for another lease.
        stop = this.#askPull(identity, sink, ({ next }, sent) =>
          this.#answer(identity, sink, { reply: { ...reply, next }, sent, bytesIn }),
        );
      },
    );
    return () => stop();
  }

  /** A pull, as soon as the worker has nothing on its way; at once to come later, when too many of its requests wait for that. */
  #askPull(identity: Identity, sink: AnswerSink, answer: Answer): () => void {
    const { run, worker } = identity;
    let stop = (): void => undefined;
    const stopWaiting = this.#unread.whenRead(identity, () => {
      if (sink.gone) return;
      if (!this.#door.identity(identity.token)) return sink.fail(FORGOTTEN);
      if (!identity.online) return answer(NO_LEASE, null);
      stop = this.#door.ask((request) => ({ type: 'pull', run, worker, request }), answer);
    });
    if (!stopWaiting) answer(NO_LEASE, null);
    return () => {
      stopWaiting?.();
      stop();
    };
  }

  /** The numbers of a push; the vector is the run's scratch, good until the next push is read. */
  #read(
    bytes: Uint8Array,
    { run, worker }: Identity,
    lease: LeaseId,
  ): { ok: true; meta: PushMeta; vector: Vec } | { ok: false; error: FrameError } {
    const envelope = decodeEnvelope(bytes, PUSH_JSON_BYTES_MAX);
    if (!envelope.ok) return envelope;
    const meta = pushSchema.safeParse(envelope.json);
    if (!meta.success) return { ok: false, error: 'malformed-json' };
    if (!envelope.frame) return { ok: false, error: 'truncated' };
    const manifest = this.#door.manifest(run);
    const vector = this.#vector(manifest);
    const { runKey, layoutHash, pushCodec: codec, parameters: length } = manifest;
    const issued = this.#door.lease(run, worker, lease);
    const own = issued && { baseVersion: issued.baseVersion, kind: issued.kind };
    const frame = decodeFrame(vector, envelope.frame, { codec, runKey, layoutHash, length, ...own }, crc32);
    return frame.ok ? { ok: true, meta: meta.data, vector } : frame;
  }

  #vector({ id, parameters }: RunManifest): Vec {
    const run = asRunId(id);
    const vector = this.#scratch.get(run) ?? new Float32Array(parameters);
    this.#scratch.set(run, vector);
    return vector;
  }

  #answer(
    identity: Identity,
    sink: AnswerSink,
    { reply, sent, bytesIn }: { reply: PullReply | PushReply; sent: Sent | null; bytesIn: number },
  ): void {
    if (sink.gone) return;
    const { run, worker } = identity;
    const frame = sent ? this.#pack(run, sent) : null;
    const head = encodeEnvelopeHead(reply, frame?.byteLength ?? 0);
    sink.answer(head, frame, frame ? this.#unread.sending(identity) : () => undefined);
    const bytesOut = head.byteLength + (frame?.byteLength ?? 0);
    this.#door.dispatch({ type: 'traffic', run, worker, bytesIn, bytesOut });
  }

  #pack(run: RunId, sent: Sent): Uint8Array {
    const last = this.#frames.get(run);
    if (last?.sent === sent) return last.frame;
    const { runKey, layoutHash, parameters: length } = this.#door.manifest(run);
    const codec = this.#paramsCodec(run);
    const header = { kind: 'params', codec, runKey, layoutHash, length, baseVersion: sent.version } as const;
    const frame = Buffer.allocUnsafeSlow(frameBytes(length, codec));
    encodeFrame(frame, header, sent.vector, { crc32, packed: sent.packed });
    this.#frames.set(run, { sent, frame });
    return frame;
  }
}
