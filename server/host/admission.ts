// Who is who: hellos in, tokens out. A token names one worker of one run; showing it again brings back the same worker.

import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { asRunId, asWorkerId, type RunId } from '../../shared/ids.ts';
import { helloSchema, type RunManifest, type Welcome } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION, refusalText, type Refusal } from '../../shared/protocol/version.ts';
import type { Coordinator } from '../core/coordinator.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { Admission, Identity } from '../door.ts';

/** Identities remembered of workers that are not here: a week of a busy run. The oldest are forgotten first. */
const IDENTITIES_MAX = 20_000;
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

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  identity(token: string): Identity | undefined {
    return this.#byToken.get(token);
  }

  admit(input: unknown, via: Identity['via']): Admission {
    const hello = helloSchema.safeParse(input);
    if (!hello.success) return refuse('malformed-hello', z.prettifyError(hello.error));
    const { protocol, token, name, device } = hello.data;
    if (protocol !== PROTOCOL_VERSION) return refuse(protocol < PROTOCOL_VERSION ? 'client-too-old' : 'server-too-old');
    const run = asRunId(hello.data.run);
    const known = token === undefined ? undefined : this.#byToken.get(token);
    const { coordinator, dispatch } = this.#options;
    const back = known !== undefined && known.run === run && coordinator.knows(run, known.worker);
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
    this.#byToken.set(identity.token, identity);
    if (this.#byToken.size > IDENTITIES_MAX) {
      for (const [oldest, { online }] of this.#byToken) {
        if (online) continue;
        this.#byToken.delete(oldest);
        break;
      }
    }
    return identity;
  }
}

function refuse(refusal: Refusal, detail?: string): Admission {
  const message = detail ? `${refusalText(refusal)} ${detail}` : refusalText(refusal);
  const welcome: Extract<Welcome, { ok: false }> = { ok: false, protocol: PROTOCOL_VERSION, refusal, message };
  return { welcome, identity: null };
}
