// Whether the other end of a stream is still there, and whether the message it is sending comes at all: silence, a reader that
// takes nothing, and bytes that never become a message all end it.

import type { WebSocket } from 'ws';
import type { Guard } from '../../guard.ts';

/** Two bytes and a mask. */
const CONTROL_HEAD_BYTES = 6;

export class Liveness {
  readonly #stream: WebSocket;
  readonly #guard: Guard;
  /** Whose it is, as it is counted. */
  readonly #address: string;
  #aliveAtMs = performance.now();
  #unsentBytes = 0;
  /** Bytes on the wire since the last whole message, and when the first of them came. */
  messageBytes = 0;
  #messageSinceMs = 0;

  constructor(stream: WebSocket, guard: Guard, address: string) {
    this.#stream = stream;
    this.#guard = guard;
    this.#address = address;
  }

  /** Bytes came. False when there is no memory for more of this message. */
  heard(bytes: number): boolean {
    this.#aliveAtMs = performance.now();
    if (!this.#guard.takeBody(this.#address, bytes, this.messageBytes)) return false;
    if (this.messageBytes === 0) this.#messageSinceMs = this.#aliveAtMs;
    this.messageBytes += bytes;
    return true;
  }

  /** Some of them were a ping or a pong, which may come in the middle of a message. */
  control(dataBytes: number): void {
    this.#drop(Math.min(this.messageBytes, CONTROL_HEAD_BYTES + dataBytes));
  }

  /** They were a whole message. */
  message(): void {
    this.#drop(this.messageBytes);
  }

  close(): void {
    this.message();
  }

  /** A reader that takes bytes is alive too, though its answer to a ping is still behind them. */
  alive(): boolean {
    const nowMs = performance.now();
    const unsentBytes = this.#stream.bufferedAmount;
    if (unsentBytes < this.#unsentBytes) this.#aliveAtMs = nowMs;
    this.#unsentBytes = unsentBytes;
    const late = this.messageBytes > 0 && nowMs - this.#messageSinceMs > this.#guard.bodyMs(this.messageBytes);
    return !late && nowMs - this.#aliveAtMs <= this.#guard.timing.silentMs;
  }

  #drop(bytes: number): void {
    this.#guard.returnBody(this.#address, bytes);
    this.messageBytes -= bytes;
  }
}
