// The volunteer's place with the coordinator: connection, then hello, then a session that outlives both. Not the leases.

import { NAME_CHARS_MAX } from '../protocol/limits.ts';
import type { Device, Hello, RunManifest, Welcome } from '../protocol/messages.ts';
import { PROTOCOL_VERSION, type Refusal } from '../protocol/version.ts';
import type { Rng } from '../rng.ts';
import { backoffMs } from './backoff.ts';
import { FULL_RETRY, HURRIED_TRIES, INTRODUCED_MS_MIN, RECONNECT, TOO_LARGE_IN_A_ROW_MAX } from './limits.ts';

export type LinkState =
  | { readonly name: 'down'; readonly connectAtMs: number }
  | { readonly name: 'connecting' }
  | { readonly name: 'up'; readonly helloAtMs: number }
  | { readonly name: 'greeting' }
  | { readonly name: 'joined' };

/** What a welcome gave us. Kept through reconnections: the token says that we are the same worker. */
export interface Session {
  readonly worker: string;
  readonly token: string;
  readonly run: RunManifest;
}

/** Refusals after which it is worth asking again. */
const TURNED_AWAY = ['too-many-workers', 'too-many-from-address', 'busy'] as const;
export type TurnedAway = (typeof TURNED_AWAY)[number];
export const isTurnedAway = (refusal: Refusal): refusal is TurnedAway =>
  (TURNED_AWAY as readonly Refusal[]).includes(refusal);

export interface Introduction {
  readonly run: string;
  readonly name: string;
  readonly device: Device;
  readonly holding: readonly string[];
}

export class Link {
  state: LinkState = { name: 'down', connectAtMs: Infinity };
  session: Session | null = null;
  /** The coordinator does not know our token: nothing is sent over HTTP until it has welcomed us again. */
  stale = false;
  /** Why the run had no place for us when we last asked. */
  turnedAway: TurnedAway | null = null;
  private failures = 0;
  private strangers = 0;
  private helloMs = -Infinity;
  private tooLargeInARow = 0;
  private readonly random: Rng;

  constructor(random: Rng) {
    this.random = random;
  }

  get joined(): boolean {
    return this.state.name === 'joined';
  }

  start(nowMs: number): void {
    this.state = { name: 'down', connectAtMs: nowMs };
  }

  connected(nowMs: number): void {
    if (this.state.name === 'connecting') this.state = { name: 'up', helloAtMs: nowMs };
  }

  disconnected(nowMs: number): void {
    if (this.state.name === 'down') return;
    this.turnedAway = null;
    this.state = { name: 'down', connectAtMs: nowMs + this.nextBackoffMs() };
  }

  /** Who we are; with the token of an earlier welcome, the same worker as then, which still has the leases in `holding`. */
  hello({ run, name, device, holding }: Introduction): Hello {
    const again = this.session === null ? {} : { token: this.session.token, holding: [...holding] };
    return { protocol: PROTOCOL_VERSION, run, name: name.slice(0, NAME_CHARS_MAX), device, ...again };
  }

  helloFailed(nowMs: number): void {
    if (this.state.name === 'greeting') this.state = { name: 'up', helloAtMs: nowMs + this.nextBackoffMs() };
  }

  notNow(refusal: TurnedAway, nowMs: number): void {
    this.turnedAway = refusal;
    const waitMs = refusal === 'busy' ? this.nextBackoffMs() : backoffMs(0, FULL_RETRY, this.random);
    this.state = { name: 'up', helloAtMs: nowMs + waitMs };
  }

  /** `another-run`: what was leased before the welcome cannot be computed or pushed after it. */
  admitted({ worker, token, run }: Extract<Welcome, { ok: true }>): 'same-run' | 'another-run' {
    const before = this.session?.run ?? run;
    this.session = { worker, token, run };
    this.stale = false;
    this.turnedAway = null;
    this.failures = 0;
    this.state = { name: 'joined' };
    return sameRun(before, run) ? 'same-run' : 'another-run';
  }

  /** A request was answered as from a known worker. */
  recognised(): void {
    this.strangers = 0;
  }

  pushAnswered(): void {
    this.tooLargeInARow = 0;
  }

  /** A message of ours was above the coordinator's limit. True when the next would be too, and so for ever. */
  tooLarge(): boolean {
    this.tooLargeInARow += 1;
    return this.tooLargeInARow >= TOO_LARGE_IN_A_ROW_MAX;
  }

  /** A request was answered 401. At once the first time; a coordinator that never knows us is not asked faster and faster. */
  unrecognised(nowMs: number): void {
    this.stale = true;
    if (!this.joined) return;
    const waitMs = this.strangers === 0 ? 0 : backoffMs(this.strangers - 1, RECONNECT, this.random);
    this.strangers += 1;
    this.state = { name: 'up', helloAtMs: nowMs + waitMs };
  }

  /** Something in our hello has changed: say it again. */
  introduceAgain(nowMs: number): void {
    if (this.joined) this.state = { name: 'up', helloAtMs: nowMs };
  }

  /** The coordinator counts leases of ours that we do not have: say what we have, unless we just did. */
  correct(nowMs: number): void {
    if (nowMs >= this.helloMs + INTRODUCED_MS_MIN) this.introduceAgain(nowMs);
  }

  /** Whatever waits for its time is tried now, and again within seconds when that fails. */
  hurry(nowMs: number): void {
    this.failures = -HURRIED_TRIES;
    if (this.state.name === 'down') this.state = { name: 'down', connectAtMs: nowMs };
    if (this.state.name === 'up') this.state = { name: 'up', helloAtMs: nowMs };
  }

  /** What to send now, if anything; the state moves as if it were sent. Without a device there is no hello. */
  due(nowMs: number, deviceReady: boolean): 'connect' | 'hello' | null {
    if (this.state.name === 'down' && this.state.connectAtMs <= nowMs) {
      this.state = { name: 'connecting' };
      return 'connect';
    }
    if (this.state.name === 'up' && deviceReady && this.state.helloAtMs <= nowMs) {
      this.state = { name: 'greeting' };
      this.helloMs = nowMs;
      return 'hello';
    }
    return null;
  }

  nextDeadlineMs(deviceReady: boolean): number {
    if (this.state.name === 'down') return this.state.connectAtMs;
    if (this.state.name === 'up' && deviceReady) return this.state.helloAtMs;
    return Infinity;
  }

  private nextBackoffMs(): number {
    return backoffMs(this.failures++, RECONNECT, this.random);
  }
}

/** Whether leases of one run can be computed and pushed under the manifest of another. */
function sameRun(a: RunManifest, b: RunManifest): boolean {
  if (a.runKey !== b.runKey || a.layoutHash !== b.layoutHash || a.shards.length !== b.shards.length) return false;
  return a.shards.every((shard, i) => shard.sha256 === b.shards[i]!.sha256);
}
