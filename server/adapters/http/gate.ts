// What stands before the operator's routes: whose request it is, from which page, and a line for every attempt that failed.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { RunId } from '../../../shared/ids.ts';
import type { Door } from '../../door.ts';
import type { Guard } from '../../guard.ts';
import type { Origins } from '../../origins.ts';
import { LOCKED_OUT, WRONG_TOKEN } from '../../records.ts';
import { refuse } from '../../refusal.ts';
import type { Access, Operator } from './operator.ts';

export interface GateOptions {
  readonly door: Door;
  readonly guard: Guard;
  readonly operator: Operator;
  readonly origins: Origins;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Answers what was sent to another name than ours, and what another site's page would change; false for all else. */
export function turnedAway(
  origins: Origins,
  { headers, method = '' }: IncomingMessage,
  response: ServerResponse,
): boolean {
  const refusal = origins.misdirected(headers) ?? (SAFE.has(method) ? null : origins.foreign(headers));
  if (!refusal) return false;
  refuse(response, refusal);
  return true;
}

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Lets the operator through. */
  readonly admin: RequestHandler = (request, response, next) => {
    const access = this.#options.operator.access(request.headers, this.#address(request));
    if (!access.ok) return this.#turnAway(access, request, response);
    // A browser says where a change comes from; what does not say it may not use the cookie.
    if (access.by === 'session' && !SAFE.has(request.method) && request.headers.origin === undefined) {
      return void response
        .status(403)
        .json({ error: 'expected an Origin header with a session: programs send the token' });
    }
    response.locals['by'] = access.by;
    next();
  };

  /** Writes down what the operator did. */
  audit(request: Request, text: string, run: RunId | null = null): void {
    this.#options.door.note({ run, kind: 'operator', worker: null, text: `${text}, from ${this.#address(request)}` });
  }

  #turnAway(access: Extract<Access, { ok: false }>, request: Request, response: Response): void {
    if (access.why === 'wrong') this.audit(request, WRONG_TOKEN);
    if (access.why === 'locked-now') this.audit(request, `${LOCKED_OUT}: locked out`);
    if (access.why === 'locked') {
      response.setHeader('retry-after', String(access.seconds));
      response.status(429).json({ error: `too many wrong tokens: try again in ${access.seconds} s` });
      return;
    }
    response
      .status(401)
      .json({ error: 'expected the operator’s session, or Authorization: Bearer and the operator’s token' });
  }

  #address(request: Request): string {
    return this.#options.guard.address(request);
  }
}
