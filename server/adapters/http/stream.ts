// The data plane over WebSockets, for workers whose HTTP costs them more than the step is worth (browsers'): the frames of
// shared/protocol/stream.ts, the meaning of plane.ts.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { asRunId } from '../../../shared/ids.ts';
import {
  decodeStreamRequest,
  encodeStreamAnswer,
  STREAM_OVERHEAD_BYTES,
  STREAM_REQUESTS_MAX,
  STREAM_UNKNOWN_TOKEN,
  type StreamRequest,
} from '../../../shared/protocol/stream.ts';
import { TOKEN_CHARS_MAX } from '../../../shared/protocol/messages.ts';
import type { Door, Identity } from '../../door.ts';
import { refuseUpgrade, type Refusal } from '../../refusal.ts';
import { letUpgrade, type UpgradeRules } from '../../upgrade.ts';
import { LimitedWebSocketServer } from '../../websocket.ts';
import { Liveness } from './liveness.ts';
import type { AnswerSink, Plane } from './plane.ts';

const ROUTE = /^\/data\/runs\/([\w.-]{1,64})\/stream$/;
/** Bytes on the wire before a stream has said whose it is: a token and its frame's head. */
const UNKNOWN_BYTES_MAX = TOKEN_CHARS_MAX + 64;
/** Longest that a stream which asked too often is not read: well under the silence that ends one. */
const REST_SECONDS_MAX = 10;
const NO_STREAM: Refusal = { status: 404, error: 'there is no such stream' };
/** Of one worker: it has one, and of those that it lost some may not be found out yet. */
const STREAMS_MAX = 4;
const MALFORMED = 1007;
const TOO_MANY = 1008;
const TRY_LATER = 1013;

export interface DataStreamOptions extends UpgradeRules {
  readonly door: Door;
  readonly plane: Plane;
  /** The paths, by their beginning, whose upgrades are somebody else's; all others are refused. */
  readonly others: readonly string[];
}

export interface DataStreams {
  /** Cuts every stream off. */
  readonly close: () => void;
  /** Closes those whose worker is not let in any more. */
  readonly check: () => void;
}

/** Takes the upgrades of /data/runs/:run/stream. */
export function dataStream(server: Server, options: DataStreamOptions): DataStreams {
  const { door, guard, others } = options;
  /** By run, of those that there are. */
  const servers = new Map<string, LimitedWebSocketServer>();
  const serverOf = (run: string): LimitedWebSocketServer => {
    const maxPayload = door.manifest(asRunId(run)).pushBytesMax + STREAM_OVERHEAD_BYTES;
    const options = { noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload };
    const known = servers.get(run) ?? new LimitedWebSocketServer(options);
    servers.set(run, known);
    return known;
  };
  const streams = new Set<StreamServer>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (others.some((other) => path.startsWith(other))) return;
    void letUpgrade(request, options).then((address) => {
      if (address === null) return;
      const run = ROUTE.exec(path)?.[1];
      if (run === undefined || !door.has(asRunId(run))) return refuseUpgrade(socket, NO_STREAM);
      serverOf(run).handleUpgrade(request, socket, head, (stream) => {
        const served = new StreamServer({ stream, socket, run, address, options });
        streams.add(served);
        stream.once('close', () => streams.delete(served));
      });
    });
  });
  const timer = setInterval(() => streams.forEach((stream) => stream.look()), guard.timing.pingEveryMs);
  return {
    close: () => {
      clearInterval(timer);
      streams.forEach((stream) => stream.cut());
    },
    check: () => streams.forEach((stream) => stream.check()),
  };
}

interface StreamServerOptions {
  readonly stream: WebSocket;
  /** What the stream runs on: its bytes are counted before they are messages. */
  readonly socket: Duplex;
  readonly run: string;
  readonly address: string;
  readonly options: DataStreamOptions;
}

/** Of each worker, oldest first. */
const streamsOf = new WeakMap<Identity, Set<StreamServer>>();

class StreamServer {
  readonly #stream: WebSocket;
  readonly #options: StreamServerOptions;
  readonly #liveness: Liveness;
  readonly #waiting = new Map<number, () => void>();
  readonly #nobody: NodeJS.Timeout;
  #token: string | undefined;
  /** The streams of its worker. */
  #own: Set<StreamServer> | null = null;
  #rest: NodeJS.Timeout | null = null;
  /** What comes is thrown away. */
  #broken = false;

  constructor(options: StreamServerOptions) {
    this.#options = options;
    const { stream, socket } = options;
    const { guard } = options.options;
    this.#stream = stream;
    this.#liveness = new Liveness(stream, guard, options.address);
    this.#nobody = setTimeout(() => stream.terminate(), guard.timing.tokenMs);
    socket.prependListener('data', (bytes: Buffer) => this.#heard(bytes.length)); // before ws makes a message of them
    socket.on('data', () => this.#suspect());
    stream.on('ping', (data) => this.#liveness.control(data.length));
    stream.on('pong', (data) => this.#liveness.control(data.length));
    stream.on('error', () => (this.#broken = true)); // an oversized or broken message: ws says why, and closes
    stream.on('close', () => {
      clearTimeout(this.#nobody);
      if (this.#rest) clearTimeout(this.#rest);
      this.#liveness.close();
      this.#own?.delete(this);
      this.#waiting.forEach((stop) => stop());
    });
    stream.on('message', (data: Buffer, binary: boolean) => this.#message(data, binary));
  }

  cut(): void {
    this.#stream.terminate();
  }

  /** Its worker may have been banned. */
  check(): void {
    if (this.#token !== undefined && !this.#identity(this.#token)) this.#stranger();
  }

  /** Time for a sign of life. */
  look(): void {
    if (!this.#liveness.alive()) this.#stream.terminate();
    else if (this.#stream.readyState === this.#stream.OPEN) this.#stream.ping();
  }

  #heard(bytes: number): void {
    if (this.#broken || this.#liveness.heard(bytes)) return;
    if (this.#stream.readyState === this.#stream.OPEN) this.#stream.close(TRY_LATER, 'too many bodies at once');
    else this.#stream.terminate(); // who goes on while it closes: ws keeps that, to find the peer's goodbye in it
  }

  /** A token is short: who begins with anything longer is not read to its end. */
  #suspect(): void {
    if (this.#token === undefined && this.#liveness.messageBytes > UNKNOWN_BYTES_MAX) this.#stream.terminate();
  }

  #message(data: Buffer, binary: boolean): void {
    const stream = this.#stream;
    this.#liveness.message();
    if (stream.readyState !== stream.OPEN) return; // refused already
    const first = this.#token === undefined;
    this.#token ??= binary || data.length > TOKEN_CHARS_MAX ? '' : data.toString();
    clearTimeout(this.#nobody);
    const identity = this.#identity(this.#token); // each time: a worker may be forgotten meanwhile
    if (!identity) return this.#stranger();
    if (first) return this.#join(identity);
    const request = binary ? decodeStreamRequest(data) : null;
    if (!request || this.#waiting.has(request.number)) return stream.close(MALFORMED, 'not a request');
    if (this.#waiting.size >= STREAM_REQUESTS_MAX) return stream.close(TOO_MANY, 'too many requests under way');
    this.#waiting.set(request.number, () => undefined);
    void this.#exchange(request, identity);
  }

  async #exchange({ number, verb, lease, body }: StreamRequest, identity: Identity): Promise<void> {
    const { address, options } = this.#options;
    const { plane } = options;
    const sink = answerOn(this.#stream, number, () => this.#waiting.delete(number));
    const seconds = await plane.heldBack(identity, address, sink);
    if (sink.gone) return;
    if (seconds > 0) return this.#pause(seconds);
    const push = { lease, bytes: body, length: body.byteLength, wantsNext: verb === 'push' };
    const stop = verb === 'pull' ? plane.pull(identity, sink) : plane.push(identity, push, sink);
    if (this.#waiting.has(number)) this.#waiting.set(number, stop);
  }

  /** The oldest makes way, as of bodies over HTTP. */
  #join(identity: Identity): void {
    const own = streamsOf.get(identity) ?? new Set<StreamServer>();
    streamsOf.set(identity, own.add(this));
    this.#own = own;
    const [oldest] = own;
    if (own.size <= STREAMS_MAX || !oldest) return;
    own.delete(oldest);
    oldest.cut();
  }

  #identity(token: string): Identity | undefined {
    const { run, options } = this.#options;
    return options.door.identity(token, asRunId(run));
  }

  #stranger(): void {
    this.#stream.close(STREAM_UNKNOWN_TOKEN, 'unknown token');
  }

  /** Not read until it may ask again, but for what has come already: what it sends stays with it, and costs nothing here. */
  #pause(seconds: number): void {
    if (this.#rest) return;
    this.#stream.pause();
    this.#rest = setTimeout(
      () => {
        this.#rest = null;
        this.#stream.resume();
      },
      1000 * Math.min(seconds, REST_SECONDS_MAX),
    );
  }
}

/** `done` when the answer has left this process: who does not read has its requests still under way. */
function answerOn(stream: WebSocket, number: number, done: () => void): AnswerSink {
  return {
    get gone() {
      return stream.readyState !== stream.OPEN;
    },
    answer: (head, frame, left) => {
      const sent = (): void => {
        done();
        left();
      };
      // One message of three parts: the frame is shared by many answers, so it is not copied into one buffer.
      stream.send(encodeStreamAnswer(number, 200), { binary: true, fin: false });
      if (frame) {
        stream.send(head, { binary: true, fin: false });
        stream.send(frame, { binary: true, fin: true }, sent);
      } else stream.send(head, { binary: true, fin: true }, sent);
    },
    fail: ({ status, error, reason, retryAfterSeconds }) => {
      const text = Buffer.from(JSON.stringify(reason ? { error, reason } : { error }));
      stream.send(Buffer.concat([encodeStreamAnswer(number, status, retryAfterSeconds), text]), { binary: true }, done);
    },
  };
}
