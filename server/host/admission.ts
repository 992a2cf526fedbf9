// Who is who: hellos in, tokens out. A token names one worker of one run; showing it again brings back the same worker.

import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { asRunId, asWorkerId, type RunId } from '../../shared/ids.ts';
import { helloSchema, type RunManifest, type Welcome } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION, refusalText, type Refusal } from '../../shared/protocol/version.ts';
import type { Coordinator } from '../core/coordinator.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { Admission, Identity } from '../door.ts';

/** Tokens are looked through for those whose worker was forgotten when there are twice as many as then, and this many. */
const TOKENS_SWEPT_MIN = 1000;
const TOKEN_BYTES = 24;

export interface AdmissionOptions {
  readonly coordinator: Coordinator;
  readonly manifest: (run: RunId) => RunManifest;
  readonly dispatch: (event: CoordinatorEvent) => void;
}

export class AdmissionDesk {
  readonly #options: AdmissionOptions;
  readonly #byToken = new Map<string, Identity>();
  #admitted = 0;
  #sweepAt = TOKENS_SWEPT_MIN;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Of a worker that its run still knows: a token is good for as long as its worker is remembered. */
  identity(token: string): Identity | undefined {
    const identity = this.#byToken.get(token);
    return identity && this.#options.coordinator.knows(identity.run, identity.worker) ? identity : undefined;
  }

  admit(input: unknown, via: Identity['via']): Admission {
    const hello = helloSchema.safeParse(input);
    if (!hello.success) return refuse('malformed-hello', z.prettifyError(hello.error));
    const { protocol, token, name, device } = hello.data;
    if (protocol !== PROTOCOL_VERSION) return refuse(protocol < PROTOCOL_VERSION ? 'client-too-old' : 'server-too-old');
    const run = asRunId(hello.data.run);
    const known = token === undefined ? undefined : this.identity(token);
    const { coordinator, dispatch } = this.#options;
    const back = known?.run === run;
    const refusal = coordinator.refusal(run);
    if (refusal !== null && !(refusal === 'too-many-workers' && back)) return refuse(refusal);
    const identity = back ? known : this.#newIdentity(run, via);
    identity.via = via;
    identity.online = true;
    dispatch({ type: 'join', run, worker: identity.worker, name, device });
    const manifest = this.#options.manifest(run);
    return {
      identity,
      welcome: { ok: true, protocol: PROTOCOL_VERSION, worker: identity.worker, token: identity.token, run: manifest },
    };
  }

  #newIdentity(run: RunId, via: Identity['via']): Identity {
    const worker = asWorkerId(`w${(++this.#admitted).toString(36)}`);
    const identity: Identity = {
      run,
      worker,
      token: randomBytes(TOKEN_BYTES).toString('base64url'),
      via,
      online: true,
    };
    if (this.#byToken.size >= this.#sweepAt) this.#sweep();
    this.#byToken.set(identity.token, identity);
    return identity;
  }

  #sweep(): void {
    for (const token of this.#byToken.keys()) if (!this.identity(token)) this.#byToken.delete(token);
    this.#sweepAt = Math.max(TOKENS_SWEPT_MIN, 2 * this.#byToken.size);
  }
}

function refuse(refusal: Refusal, detail?: string): Admission {
  const message = detail ? `${refusalText(refusal)} ${detail}` : refusalText(refusal);
  const welcome: Extract<Welcome, { ok: false }> = { ok: false, protocol: PROTOCOL_VERSION, refusal, message };
  return { welcome, identity: null };
}
