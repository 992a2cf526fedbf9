// Who is the operator: the token, which is compared in constant time and locked out when it is guessed at, and the sessions
// that it opens for browsers, in signed cookies. Knows no routes.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Attempts } from '../../attempts.ts';

const SESSION_COOKIE = 'murmuration-operator';
export const SESSION_MS = 12 * 3_600_000;
const ID_BYTES = 16;
const TOKEN_BYTES = 18;
/** Of sessions that were signed out of and would not have expired yet: more than an operator ends in a day. */
const ENDED_MAX = 1000;
/** Five guesses in a quarter of an hour, then none for as long; from everywhere together, a hundred times that. */
const GUESSES = { perAddress: 5, altogether: 500, windowSeconds: 900 };

export interface OperatorOptions {
  readonly token: string;
  /** By the environment, which gives it again at the next start. */
  readonly tokenGiven: boolean;
  /** What sessions are signed with: with the same one, and the same token, they go on after a restart. */
  readonly secret: Buffer;
  /** Keeps the token that took the place of another, before it counts. */
  readonly keepToken: (token: string) => Promise<void>;
  /** Ids of sessions that were signed out of, with the time when they expire anyway. */
  readonly ended: readonly (readonly [id: string, expiresMs: number])[];
  readonly keepEnded: (ended: readonly (readonly [string, number])[]) => void;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
  /** The time of day. */
  readonly wallMs: () => number;
}

export type Access =
  | { readonly ok: true; readonly by: 'token' | 'session' }
  | { readonly ok: false; readonly why: 'nothing' | 'wrong' | 'locked-now' }
  | { readonly ok: false; readonly why: 'locked'; readonly seconds: number };

interface Session {
  readonly id: string;
  readonly expiresMs: number;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

export class Operator {
  readonly #options: OperatorOptions;
  readonly #attempts: Attempts;
  readonly #ended: Map<string, number>;
  #tokenHash: Buffer;
  /** Follows from the token: sessions end with it. */
  #key: Buffer;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#attempts = new Attempts({ ...GUESSES, nowMs: options.nowMs });
    this.#ended = new Map(options.ended);
    this.#tokenHash = sha256(options.token);
    this.#key = this.#keyNow();
  }

  /**
   * Whether a request is the operator's. A token that is shown counts alone; sessions are not locked out. It waits for
   * nothing: between a guess's being counted and its being compared nothing else may run.
   */
  access(headers: IncomingHttpHeaders, address: string): Access {
    if (headers.authorization !== undefined) return this.#byToken(headers.authorization, address);
    return this.signedIn(headers) ? { ok: true, by: 'session' } : { ok: false, why: 'nothing' };
  }

  /** Whether a browser has a session. */
  signedIn(headers: IncomingHttpHeaders): boolean {
    return this.#session(headers.cookie) !== null;
  }

  /** A Set-Cookie header that opens a session. */
  open(secure: boolean): string {
    const text = `${randomBytes(ID_BYTES).toString('base64url')}.${(this.#options.wallMs() + SESSION_MS).toString(36)}`;
    const value = `${text}.${this.#sign(text).toString('base64url')}`;
    return cookie(value, SESSION_MS / 1000, secure);
  }

  /** Ends the request's session, if it has one, for whoever holds its cookie. A Set-Cookie header. */
  end(headers: IncomingHttpHeaders, secure: boolean): string {
    const session = this.#session(headers.cookie);
    if (session) {
      const nowMs = this.#options.wallMs();
      for (const [id, expiresMs] of this.#ended) if (expiresMs < nowMs) this.#ended.delete(id);
      if (this.#ended.size >= ENDED_MAX) this.#ended.delete(this.#ended.keys().next().value!);
      this.#ended.set(session.id, session.expiresMs);
      this.#options.keepEnded([...this.#ended]);
    }
    return cookie('', 0, secure);
  }

  get tokenGiven(): boolean {
    return this.#options.tokenGiven;
  }

  /** Another token in the place of this one, which ends every session. */
  async rotate(): Promise<string> {
    const token = randomToken();
    await this.#options.keepToken(token);
    this.#tokenHash = sha256(token);
    this.#key = this.#keyNow();
    return token;
  }

  #byToken(authorization: string, address: string): Access {
    const seconds = this.#attempts.guess(address);
    if (seconds > 0) return { ok: false, why: 'locked', seconds };
    const [scheme, token = ''] = authorization.split(' ');
    if (scheme === 'Bearer' && timingSafeEqual(sha256(token), this.#tokenHash)) {
      this.#attempts.forgive(address);
      return { ok: true, by: 'token' };
    }
    return { ok: false, why: this.#attempts.waitSeconds(address) > 0 ? 'locked-now' : 'wrong' };
  }

  #session(cookies: string | undefined): Session | null {
    const value = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([^;\\s]*)`).exec(cookies ?? '')?.[1] ?? '';
    const [, text = '', id = '', expires = '', signature = ''] =
      /^(([\w-]{22})\.([0-9a-z]{1,11}))\.([\w-]{43})$/.exec(value) ?? [];
    if (text === '' || !timingSafeEqual(Buffer.from(signature, 'base64url'), this.#sign(text))) return null;
    const expiresMs = parseInt(expires, 36);
    return expiresMs < this.#options.wallMs() || this.#ended.has(id) ? null : { id, expiresMs };
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }

  #keyNow(): Buffer {
    return createHmac('sha256', this.#options.secret).update('operator session').update(this.#tokenHash).digest();
  }
}

export const randomToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');

function cookie(value: string, maxAgeSeconds: number, secure: boolean): string {
  const parts = [`${SESSION_COOKIE}=${value}`, 'Path=/', `Max-Age=${maxAgeSeconds}`, 'HttpOnly', 'SameSite=Strict'];
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ');
}
