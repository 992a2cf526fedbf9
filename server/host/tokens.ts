// Workers' tokens: signed, not stored. A token names one worker of one run, so that it comes back as itself, also after a
// restart. The time of issue is the wall clock's: a token outlives the process whose monotonic clock it would be.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { asRunId, asWorkerId, type RunId, type WorkerId } from '../../shared/ids.ts';
import { TOKEN_CHARS_MAX } from '../../shared/protocol/messages.ts';

const DAY_MS = 86_400_000;
/** A run goes on for a week or so; one who was away for all of it still comes back as itself. */
export const TOKEN_LIFE_MS = 14 * DAY_MS;
/** A token that is shown in a hello is renewed after so long. */
export const TOKEN_RENEWED_AFTER_MS = DAY_MS;
/** Workers whose verified token is remembered, as it is shown with every request; the least recently used goes first. */
const VERIFIED_MAX = 4096;

const FORM = /^([a-z0-9-]{1,40})\.([a-z0-9-]{1,40})\.([0-9a-z]{1,11})\.([\w-]{43})$/;

/** What a token says, once its signature has been found good. */
export interface Bearer {
  readonly run: RunId;
  readonly worker: WorkerId;
  readonly issuedMs: number;
}

export const TOKEN_FAULTS = ['malformed-token', 'forged-token', 'expired-token', 'other-run-token'] as const;
export type TokenFault = (typeof TOKEN_FAULTS)[number];

/** A key for one purpose: what is signed for one can never be shown for another. */
export const keyFor = (purpose: string, secret: Buffer): Buffer =>
  createHmac('sha256', secret).update(purpose).digest();

export class Tokens {
  readonly #key: Buffer;
  readonly #wallMs: () => number;
  /** By run and worker the latest: one that comes back again and again takes no more room. */
  readonly #verified = new Map<string, { readonly token: string; readonly bearer: Bearer }>();

  /** `wallMs`: the time of day, as it may be set. */
  constructor(secret: Buffer, wallMs: () => number) {
    this.#key = keyFor('worker token', secret);
    this.#wallMs = wallMs;
  }

  issue(run: RunId, worker: WorkerId): string {
    const text = `${run}.${worker}.${Math.floor(this.#wallMs()).toString(36)}`;
    return `${text}.${this.#sign(text).toString('base64url')}`;
  }

  /** The signature is compared in constant time. */
  read(token: string): Bearer | TokenFault {
    if (token.length > TOKEN_CHARS_MAX) return 'malformed-token';
    const whose = token.slice(0, token.indexOf('.', token.indexOf('.') + 1));
    const known = this.#verified.get(whose);
    if (known?.token === token) {
      this.#verified.delete(whose);
      if (!this.#inTime(known.bearer)) return 'expired-token';
      this.#verified.set(whose, known);
      return known.bearer;
    }
    const [, run, worker, issued, signature] = FORM.exec(token) ?? [];
    if (run === undefined || worker === undefined || issued === undefined || signature === undefined)
      return 'malformed-token';
    const expected = this.#sign(`${run}.${worker}.${issued}`);
    if (!timingSafeEqual(Buffer.from(signature, 'base64url'), expected)) return 'forged-token';
    const bearer = { run: asRunId(run), worker: asWorkerId(worker), issuedMs: parseInt(issued, 36) };
    if (!this.#inTime(bearer)) return 'expired-token';
    this.#verified.delete(whose);
    if (this.#verified.size >= VERIFIED_MAX) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(whose, { token, bearer });
    return bearer;
  }

  /** Old enough to be replaced by a fresh one. */
  aged({ issuedMs }: Bearer): boolean {
    return Math.abs(this.#wallMs() - issuedMs) > TOKEN_RENEWED_AFTER_MS;
  }

  /** A time of issue that is yet to come is our own clock's, set back meanwhile. */
  #inTime({ issuedMs }: Bearer): boolean {
    return Math.abs(this.#wallMs() - issuedMs) <= TOKEN_LIFE_MS;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
