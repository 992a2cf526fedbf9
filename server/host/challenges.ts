// Challenges that a device signs to prove its key: made without being stored, good for five minutes, and once.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A hello follows its challenge at once; this is for slow lines and sleeping tabs. */
export const CHALLENGE_LIFE_MS = 300_000;
/** Used ones that are remembered until they are too old anyway: 66 hellos a second for all of that time. */
const USED_MAX = 20_000;

const TIME_BYTES = 8;
const RANDOM_BYTES = 16;
const SIGNED_BYTES = TIME_BYTES + RANDOM_BYTES;
const SIGNATURE_BYTES = 32;

export class Challenges {
  /** Of this process: its clock is no other's, so that what an earlier one made is not good. */
  readonly #key = randomBytes(32);
  readonly #nowMs: () => number;
  readonly #usedMax: number;
  /** When each was made, by its text. */
  readonly #used = new Map<string, number>();
  /** Of those made by then it is not known any more which were used: none is good. */
  #forgottenUntilMs = -Infinity;

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number, usedMax = USED_MAX) {
    this.#nowMs = nowMs;
    this.#usedMax = usedMax;
  }

  make(): string {
    const signed = Buffer.concat([Buffer.alloc(TIME_BYTES), randomBytes(RANDOM_BYTES)]);
    signed.writeDoubleLE(this.#nowMs());
    return Buffer.concat([signed, this.#sign(signed)]).toString('base64url');
  }

  /** Whether it was made here, lately, and was not used. */
  good(challenge: string): boolean {
    return this.#madeMs(challenge) !== null;
  }

  /** Uses a good one up; false when it is none. */
  use(challenge: string): boolean {
    const madeMs = this.#madeMs(challenge);
    if (madeMs === null) return false;
    if (this.#used.size >= this.#usedMax) this.#makeRoom();
    this.#used.set(challenge, madeMs);
    return true;
  }

  #madeMs(challenge: string): number | null {
    const bytes = Buffer.from(challenge, 'base64url');
    // Only the one way of writing these bytes: another text would be another entry among the used.
    if (bytes.length !== SIGNED_BYTES + SIGNATURE_BYTES || bytes.toString('base64url') !== challenge) return null;
    const signed = bytes.subarray(0, SIGNED_BYTES);
    if (!timingSafeEqual(bytes.subarray(SIGNED_BYTES), this.#sign(signed))) return null;
    const madeMs = signed.readDoubleLE();
    const old = this.#nowMs() - madeMs > CHALLENGE_LIFE_MS || madeMs <= this.#forgottenUntilMs;
    return old || this.#used.has(challenge) ? null : madeMs;
  }

  /** Forgets those that are too old; when there are none, the older half, and refuses whatever is as old as they. */
  #makeRoom(): void {
    const times = [...this.#used.values()].sort((a, b) => a - b);
    const middleMs = times[times.length >> 1]!;
    this.#forgottenUntilMs = Math.max(middleMs, this.#nowMs() - CHALLENGE_LIFE_MS);
    for (const [challenge, madeMs] of this.#used) if (madeMs <= this.#forgottenUntilMs) this.#used.delete(challenge);
  }

  #sign(signed: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(signed).digest();
  }
}
