// Who may be a worker, and which one: hellos in, tokens out. A device that proves its key is known by it, everybody else by
// the token of an earlier welcome; neither is stored.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import { workersPerAddress } from '../../shared/config.ts';
import { asLeaseId, asRunId, asWorkerId, deviceOf, workersOf, type RunId, type WorkerId } from '../../shared/ids.ts';
import { helloSchema, type Hello, type RunManifest, type Welcome } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION, refusalText, type Refusal } from '../../shared/protocol/version.ts';
import { isLoopback } from '../address.ts';
import type { Attempts } from '../attempts.ts';
import type { Coordinator } from '../core/coordinator.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { Admission, Identity, Remote, Turned } from '../door.ts';
import { Challenges } from './challenges.ts';
import { isKeyed, provenDevice } from './devices.ts';
import { Places, type Spot } from './places.ts';
import { Tokens, type Bearer } from './tokens.ts';

/** Identities are looked through for those whose worker was forgotten when there are twice as many as then, and this many. */
const IDENTITIES_SWEPT_MIN = 1000;
const GUEST_BYTES = 10;

export interface AdmissionOptions {
  readonly coordinator: Coordinator;
  readonly manifest: (run: RunId) => RunManifest;
  readonly dispatch: (event: CoordinatorEvent) => void;
  /** There is too much to do for anybody new. */
  readonly busy: () => boolean;
  /** What tokens are signed with. */
  readonly secret: Buffer;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
  /** The time of day. */
  readonly wallMs: () => number;
  /** Wrong join codes. */
  readonly codes: Attempts;
}

/** Who says hello. */
interface Who {
  readonly worker: WorkerId;
  readonly keyed: boolean;
  readonly bearer: Bearer | null;
}

export class AdmissionDesk {
  readonly #options: AdmissionOptions;
  readonly #tokens: Tokens;
  readonly #challenges: Challenges;
  /** Of workers that their run knows, by run and worker. */
  readonly #identities = new Map<string, Identity>();
  readonly #places: Places;
  readonly #turned: Partial<Record<Turned, number>> = {};
  #sweepAt = IDENTITIES_SWEPT_MIN;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.secret, options.wallMs);
    this.#challenges = new Challenges(options.nowMs);
    this.#places = new Places((run, worker) => options.coordinator.gone(run, worker));
  }

  challenge(): string {
    return this.#challenges.make();
  }

  /** Of a worker that its run knows and has not banned, and that did not lose its place. */
  identity(token: string, run?: RunId): Identity | undefined {
    const bearer = this.#bearer(token, run);
    if (!bearer || !this.#options.coordinator.serves(bearer.run, bearer.worker)) return undefined;
    const known = this.#identities.get(key(bearer));
    if (known && this.#places.lost(known)) return undefined;
    return known ?? this.#remember(bearer, token, 'http');
  }

  /** Refused hellos and tokens so far, by reason. */
  turned(): Readonly<Partial<Record<Turned, number>>> {
    return this.#turned;
  }

  admit(input: unknown, remote: Remote): Admission {
    const hello = helloSchema.safeParse(input);
    if (!hello.success) return this.#refuse('malformed-hello', z.prettifyError(hello.error));
    const { protocol, name, device, holding } = hello.data;
    if (protocol !== PROTOCOL_VERSION)
      return this.#refuse(protocol < PROTOCOL_VERSION ? 'client-too-old' : 'server-too-old');
    const run = asRunId(hello.data.run);
    if (!this.#options.coordinator.has(run)) return this.#refuse('unknown-run');
    const who = this.#who(hello.data, run);
    if (typeof who === 'string') return this.#refuse(who);
    const refusal =
      this.#refusal(run, who) ??
      this.#unlisted(run, who) ??
      this.#code(run, hello.data, remote.address) ??
      this.#crowded({ run, address: remote.address }, who);
    if (refusal !== null) return this.#refuse(refusal);
    const { worker, keyed, bearer } = who;
    const token = bearer && !this.#tokens.aged(bearer) ? hello.data.token! : this.#tokens.issue(run, worker);
    const identity = this.#remember({ run, worker }, token, remote.via);
    if (!this.#places.has(identity)) this.#places.take(identity, { run, address: remote.address });
    const held = holding && { holding: holding.map(asLeaseId) };
    this.#options.dispatch({ type: 'join', run, worker, name, device, keyed, ...held });
    const manifest = this.#options.manifest(run);
    return { identity, welcome: { ok: true, protocol: PROTOCOL_VERSION, worker, token, run: manifest } };
  }

  /** A token alone brings a device without a key back; one that has a key proves it each time. */
  #who(hello: Hello, run: RunId): Who | 'bad-key' | 'too-many-workers' {
    const bearer = hello.token === undefined ? null : this.#bearer(hello.token, run);
    if (hello.proof) {
      const device = provenDevice(hello.proof, run, this.#challenges);
      if (device === null) return 'bad-key';
      if (bearer && deviceOf(bearer.worker) === device) return { worker: bearer.worker, keyed: true, bearer };
      const worker = this.#free(run, device);
      return worker ? { worker, keyed: true, bearer: null } : 'too-many-workers';
    }
    if (bearer) return isKeyed(bearer.worker) ? 'bad-key' : { worker: bearer.worker, keyed: false, bearer };
    const worker = asWorkerId(`g${randomBytes(GUEST_BYTES).toString('hex')}`);
    return { worker, keyed: false, bearer: null };
  }

  /** The first of a device's workers that is not here at the moment; another tab of the same browser may be. */
  #free(run: RunId, device: WorkerId): WorkerId | undefined {
    return workersOf(device).find((worker) => !this.#options.coordinator.present(run, worker));
  }

  #refusal(run: RunId, { worker }: Who): Refusal | null {
    const { coordinator, busy } = this.#options;
    if (busy() && !coordinator.knows(run, worker)) return 'busy';
    const refusal = coordinator.refusal(run, worker);
    return refusal === 'too-many-workers' && coordinator.knows(run, worker) ? null : refusal;
  }

  #unlisted(run: RunId, { worker, keyed }: Who): Refusal | null {
    const { admission } = this.#options.coordinator.setup(run).config;
    if (admission.kind !== 'list') return null;
    const device = deviceOf(worker);
    const listed = keyed && admission.workers.some((id) => deviceOf(asWorkerId(id)) === device);
    return listed ? null : 'not-listed';
  }

  /** Asked for each time, so that a new code shuts out who knew the old one. */
  #code(run: RunId, { joinCode }: Hello, address: string): Refusal | null {
    const { admission } = this.#options.coordinator.setup(run).config;
    if (admission.kind !== 'code') return null;
    const { codes } = this.#options;
    const guessed = joinCode !== undefined; // who says none has not
    if (!guessed) return codes.waitSeconds(address) > 0 ? 'busy' : 'join-code';
    if (codes.guess(address) > 0) return 'busy';
    if (!timingSafeEqual(sha256(joinCode), sha256(admission.code))) return 'join-code';
    codes.takeBack(address); // that alone: of a class behind one address some may know it, and others guess
    return null;
  }

  /** A key or a name costs nothing, so in an open run it is addresses that are counted. */
  #crowded(spot: Spot, { worker }: Who): Refusal | null {
    const { config } = this.#options.coordinator.setup(spot.run);
    if (config.admission.kind !== 'open' || isLoopback(spot.address)) return null;
    const known = this.#identities.get(key({ run: spot.run, worker }));
    if (known && this.#places.has(known)) return null;
    return this.#places.room(spot, workersPerAddress(config)) ? null : 'too-many-from-address';
  }

  /** What a token says of this run; anything else is counted, and nothing. */
  #bearer(token: string, run?: RunId): Bearer | null {
    const bearer = this.#tokens.read(token);
    const fault = typeof bearer === 'string' ? bearer : (run ?? bearer.run) === bearer.run ? null : 'other-run-token';
    if (fault === null) return bearer as Bearer;
    this.#count(fault);
    return null;
  }

  #remember({ run, worker }: Pick<Bearer, 'run' | 'worker'>, token: string, via: Identity['via']): Identity {
    const known = this.#identities.get(key({ run, worker }));
    if (known) return Object.assign(known, { token, via, online: true });
    if (this.#identities.size >= this.#sweepAt) this.#sweep();
    const identity: Identity = { run, worker, token, via, online: true };
    this.#identities.set(key(identity), identity);
    return identity;
  }

  #sweep(): void {
    for (const [name, { run, worker }] of this.#identities)
      if (!this.#options.coordinator.knows(run, worker)) this.#forget(name);
    this.#sweepAt = Math.max(IDENTITIES_SWEPT_MIN, 2 * this.#identities.size);
  }

  #forget(name: string): void {
    this.#places.free(this.#identities.get(name)!);
    this.#identities.delete(name);
  }

  #refuse(refusal: Refusal, detail?: string): Admission {
    this.#count(refusal);
    const message = detail ? `${refusalText(refusal)} ${detail}` : refusalText(refusal);
    const welcome: Extract<Welcome, { ok: false }> = { ok: false, protocol: PROTOCOL_VERSION, refusal, message };
    return { welcome, identity: null };
  }

  #count(why: Turned): void {
    this.#turned[why] = (this.#turned[why] ?? 0) + 1;
  }
}

const key = ({ run, worker }: Pick<Bearer, 'run' | 'worker'>): string => `${run} ${worker}`;
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
