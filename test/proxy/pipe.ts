// One direction of one connection through the proxy: bytes are taken while there is room, and put out when their time has come.

import type { Socket } from 'node:net';
import type { Rng } from '../../shared/rng.ts';

/** What a line holds, about; more stays with its sender, as with a real one. */
const ROOM_BYTES = 65_536;
const PIECE_BYTES = 16_384;

interface PipeWeather {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly bytesPerSecond: number;
  readonly stallChance: number;
  readonly stallMs: number;
  readonly resetChance: number;
}

export interface PipeOptions {
  readonly random: Rng;
  readonly weather: () => PipeWeather;
  readonly onReset: () => void;
}

export class Pipe {
  readonly #to: Socket;
  readonly #options: PipeOptions;
  readonly #queue: { readonly atMs: number; readonly bytes: Buffer | null }[] = [];
  #from: Socket | null = null;
  #queuedBytes = 0;
  #lastMs = 0;
  #held = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(to: Socket, options: PipeOptions) {
    this.#to = to;
    this.#options = options;
  }

  from(socket: Socket): void {
    this.#from = socket;
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#take(bytes.subarray(at, at + PIECE_BYTES));
    });
    socket.on('end', () => this.#enqueue(null, 0));
    socket.on('close', () => clearTimeout(this.#timer));
    this.#to.on('drain', () => this.#flow());
    this.#flow();
  }

  hold(held: boolean): void {
    this.#held = held;
    this.#flow();
    this.#put();
  }

  #take(bytes: Buffer): void {
    const { random, weather } = this.#options;
    const { latencyMs, jitterMs, bytesPerSecond, stallChance, stallMs, resetChance } = weather();
    if (resetChance > 0 && random.next() < resetChance) return this.#options.onReset();
    const nowMs = performance.now();
    const stalled = stallChance > 0 && random.next() < stallChance ? stallMs : 0;
    const lineMs = bytesPerSecond === Infinity ? 0 : (1000 * bytes.length) / bytesPerSecond;
    const earliestMs = nowMs + latencyMs + (jitterMs > 0 ? random.next() * jitterMs : 0) + stalled;
    this.#enqueue(bytes, Math.max(earliestMs, this.#lastMs + lineMs));
  }

  #enqueue(bytes: Buffer | null, atMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#queue.push({ atMs: this.#lastMs, bytes });
    this.#queuedBytes += bytes?.length ?? 0;
    this.#flow();
    this.#put();
  }

  /** Takes more only while there is room, and the reader reads. */
  #flow(): void {
    if (this.#held || this.#queuedBytes >= ROOM_BYTES || this.#to.writableNeedDrain) this.#from?.pause();
    else this.#from?.resume();
  }

  #put(): void {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    while (!this.#held && this.#queue.length > 0 && this.#queue[0]!.atMs <= nowMs) {
      const { bytes } = this.#queue.shift()!;
      if (bytes === null) this.#to.end();
      else {
        this.#queuedBytes -= bytes.length;
        this.#to.write(bytes);
      }
    }
    this.#flow();
    if (!this.#held && this.#queue.length > 0)
      this.#timer = setTimeout(() => this.#put(), Math.max(1, this.#queue[0]!.atMs - nowMs));
  }
}
