// Workers that ask far more than they may, over streams, so many times a second, whatever the answer.

import { WebSocket } from 'ws';
import { decodeStreamAnswer, encodeStreamRequestHead, STREAM_REQUESTS_MAX } from '../../shared/protocol/stream.ts';
import { PlainWorker } from '../server/harness.ts';
import { HOSTILE_ADDRESS } from './attacks.ts';

const EVERY_MS = 4;

export interface FloodOptions {
  readonly identities: number;
  /** Of each identity. */
  readonly streams: number;
  /** Of each stream, at most. */
  readonly perSecond: number;
}

interface Line {
  readonly token: string;
  socket: WebSocket | null;
  underWay: number;
}

export class Flood {
  /** Answers of 429, and all others. */
  refused = 0;
  heard = 0;
  /** From the first request to the first refusal. */
  refusedAfterMs = NaN;
  readonly #url: string;
  readonly #lines: readonly Line[];
  readonly #sinceMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #number = 0;
  #stopped = false;
  #quiet = false;

  private constructor(url: string, tokens: readonly string[], perSecond: number) {
    this.#url = url;
    this.#lines = tokens.map((token) => ({ token, socket: null, underWay: 0 }));
    for (const line of this.#lines) this.#open(line);
    this.#timer = setInterval(() => this.#burst(Math.ceil((perSecond * EVERY_MS) / 1000)), EVERY_MS);
  }

  static async of(url: string, { identities, streams, perSecond }: FloodOptions): Promise<Flood> {
    const workers = await Promise.all(Array.from({ length: identities }, () => PlainWorker.join(url)));
    const tokens = workers.flatMap(({ welcome }) => Array<string>(streams).fill(welcome.token));
    return new Flood(url, tokens, perSecond);
  }

  /** Whether it says nothing for now; its streams stay open. */
  set quiet(is: boolean) {
    this.#quiet = is;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const open = this.#lines.flatMap(({ socket }) =>
      socket && socket.readyState !== WebSocket.CLOSED ? [socket] : [],
    );
    await Promise.all(
      open.map((socket) => {
        const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
        socket.on('error', () => undefined); // one that was still being opened complains
        socket.terminate();
        return closed;
      }),
    );
  }

  #open(line: Line): void {
    const path = `${this.#url.replace('http', 'ws')}/data/runs/digits/stream`;
    const socket = new WebSocket(path, { localAddress: HOSTILE_ADDRESS });
    line.socket = socket;
    line.underWay = 0;
    socket.on('error', () => undefined);
    socket.on('open', () => socket.send(line.token));
    socket.on('message', (data: Buffer) => this.#hear(line, decodeStreamAnswer(data).status));
    socket.on('close', () => {
      if (!this.#stopped) setTimeout(() => this.#open(line), EVERY_MS); // who floods comes back at once
    });
  }

  #hear(line: Line, status: number): void {
    line.underWay -= 1;
    if (status !== 429) {
      this.heard += 1;
      return;
    }
    this.refused += 1;
    if (Number.isNaN(this.refusedAfterMs)) this.refusedAfterMs = performance.now() - this.#sinceMs;
  }

  /** Of each stream no more than may be under way: one more would close it. */
  #burst(count: number): void {
    if (this.#quiet) return;
    for (const line of this.#lines) {
      const due = Math.min(count, STREAM_REQUESTS_MAX - 1 - line.underWay);
      for (let i = 0; i < due && line.socket?.readyState === WebSocket.OPEN; i++) {
        const message = new Uint8Array(16);
        encodeStreamRequestHead(message, { number: ++this.#number, verb: 'push-last', lease: 'x' });
        line.socket.send(message);
        line.underWay += 1;
      }
    }
  }
}
