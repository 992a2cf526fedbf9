// The volunteer: a worker's side of the protocol as a deterministic state machine. Events in, effects out; it reads no
// clock, socket or random source, and owns no vectors: leases are named, and the shell keeps what belongs to them.
// The rules are those of docs/SPEC.md, section V. See events.ts for what answers what, work.ts for the leases.

import type { Backend, Welcome } from '../protocol/messages.ts';
import type { Refusal } from '../protocol/version.ts';
import type { Rng } from '../rng.ts';
import { DeviceKeeper } from './device.ts';
import { Display } from './display.ts';
import type { VolunteerEffect, VolunteerEvent } from './events.ts';
import { Heartbeat } from './heartbeat.ts';
import * as limits from './limits.ts';
import { isTurnedAway, Link } from './link.ts';
import { lookOf, stateOf, type Look, type Situation } from './look.ts';
import { Progress } from './progress.ts';
import { isTooLarge, isUnrecognised } from './retry.ts';
import { Sleep } from './sleep.ts';
import type { VolunteerPhase } from './view.ts';
import * as words from './words.ts';
import { Work, type Terms } from './work.ts';

export interface VolunteerOptions {
  readonly run: string;
  readonly name: string;
  /** The volunteer's own choice of backend; otherwise the best that passes its self-test. */
  readonly backend?: Backend | undefined;
}

type Told<T extends VolunteerEvent['type']> = Extract<VolunteerEvent, { type: T }>;

export class Volunteer {
  private readonly options: VolunteerOptions;
  private readonly link: Link;
  private readonly work: Work;
  private readonly device = new DeviceKeeper();
  private readonly heartbeat = new Heartbeat();
  private readonly progress = new Progress();
  private readonly sleep = new Sleep();
  private readonly display = new Display();
  private readonly situation: Situation;
  private started = false;
  private ending: Look | null = null;
  /** Of the person, of the operator, and of the browser. */
  private readonly wishes = { userPaused: false, operatorPaused: false, hidden: false };
  /** Of the event being handled. */
  private nowMs = 0;
  private effects: VolunteerEffect[] = [];

  constructor(options: VolunteerOptions, random: Rng) {
    this.options = options;
    this.link = new Link(random);
    this.work = new Work(random, (effect) => this.effects.push(effect));
    this.situation = { wishes: this.wishes, device: this.device, link: this.link, work: this.work };
  }

  /** One thing has happened at `nowMs`, which never runs backwards. Carry out the effects in order. */
  handle(event: VolunteerEvent, nowMs: number): VolunteerEffect[] {
    this.nowMs = nowMs;
    this.effects = [];
    if (this.over) this.afterTheEnd(event);
    else {
      const sleptMs = this.sleep.lateMs(nowMs);
      this.work.slept(sleptMs);
      if (sleptMs > 0) this.wake();
      this.hear(event);
      if (this.started && !this.over) this.advance();
      this.show();
    }
    this.sleep.expect(this.dueMs());
    return this.effects;
  }

  /** When to send `tick` if nothing else happens before; null for never. Later than the last event's time. */
  nextDeadlineMs(): number | null {
    return this.sleep.deadlineMs;
  }

  private dueMs(): number | null {
    if (this.over || !this.started) return null;
    const { link, work, device } = this;
    const atMs = Math.min(link.nextDeadlineMs(device.ready), work.nextDeadlineMs(this.terms()), this.heartbeatAtMs());
    return atMs === Infinity ? null : atMs;
  }

  private get over(): boolean {
    return this.ending !== null;
  }

  private hear(event: VolunteerEvent): void {
    switch (event.type) {
      case 'start':
        return this.start();
      case 'device-ready':
        return this.deviceChosen(event);
      case 'device-failed':
        return this.device.choosing ? this.end('failed', event.reason) : undefined;
      case 'device-lost':
        return this.deviceLost(event.reason);
      case 'connected':
        return this.link.connected(this.nowMs);
      case 'disconnected':
        this.link.disconnected(this.nowMs);
        return event.tooLarge ? this.tooLarge() : undefined;
      case 'welcome':
        return this.welcomed(event.welcome);
      case 'pulled':
        this.link.recognised();
        return this.endIf(this.work.pulled(event.reply.next, event.paramsOk, this.terms()));
      case 'pushed':
        return this.pushed(event);
      case 'shard-ready':
        return this.work.shardArrived(event.shard);
      case 'shard-failed':
        return this.work.shardFailed(event.shard, event.failure, this.nowMs);
      case 'computed':
        return this.computed(event);
      case 'compute-failed':
        return this.work.stepEnded(event.lease) ? this.garbage(event.lease, event.reason) : undefined;
      case 'request-failed':
        return this.requestFailed(event);
      case 'control':
        return this.says('operatorPaused', event.command);
      case 'user':
        return this.says('userPaused', event.command);
      case 'visibility':
        this.wishes.hidden = event.hidden;
        return event.hidden ? this.work.releaseIdle(limits.HIDDEN_LEASES_MAX) : undefined;
      case 'woke':
        return this.wake();
      case 'progress':
        return this.progress.run(event.run);
      case 'tick':
        return;
      default:
        event satisfies never;
    }
  }

  private advance(): void {
    if (this.work.stepDeadlineMs <= this.nowMs) this.deviceLost('A step did not come to an end.');
    if (this.work.takeLoss()) this.link.correct(this.nowMs);
    const due = this.link.due(this.nowMs, this.device.ready);
    if (due === 'connect') this.emit({ type: 'connect' });
    if (due === 'hello') {
      const who = { ...this.options, device: this.device.device!, holding: this.work.introduce() };
      this.emit({ type: 'hello', hello: this.link.hello(who) });
    }
    this.work.advance(this.terms());
    if (this.heartbeatAtMs() > this.nowMs) return;
    const state = stateOf(this.situation);
    this.heartbeat.told(state, this.nowMs);
    this.emit({ type: 'status', status: { state } });
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    this.link.start(this.nowMs);
    this.chooseDevice(null);
  }

  /** Everything that waits is tried now. */
  private wake(): void {
    this.link.hurry(this.nowMs);
    this.heartbeat.reset(); // the coordinator may think us gone
    this.work.wake(this.nowMs);
  }

  private chooseDevice(trouble: string | null): void {
    this.emit(this.device.choose(trouble, this.options.backend));
  }

  private deviceChosen({ device }: Told<'device-ready'>): void {
    if (!this.device.choosing) return;
    if (this.device.chosen(device)) this.link.introduceAgain(this.nowMs);
  }

  private deviceLost(reason: string): void {
    if (!this.device.ready) return;
    this.device.lost(this.nowMs);
    this.work.deviceLost();
    this.chooseDevice(reason);
  }

  private garbage(lease: string, reason: string): void {
    this.work.abandon(lease);
    if (!this.device.ready || !this.device.stepWasGarbage()) return;
    this.work.deviceLost();
    this.chooseDevice(reason);
  }

  private welcomed(welcome: Welcome): void {
    if (this.link.state.name !== 'greeting') return;
    const refusal = words.refusalIn(welcome);
    if (refusal !== null || !welcome.ok) return this.refused(refusal!, welcome);
    if (this.link.admitted(welcome) === 'another-run') this.work.startOver();
    this.wishes.operatorPaused = false;
    this.heartbeat.reset();
    this.work.wake(this.nowMs);
  }

  private refused(refusal: Refusal, welcome: Welcome): void {
    if (isTurnedAway(refusal)) return this.link.notNow(refusal, this.nowMs);
    const hadWorked = this.link.session !== null && refusal === 'run-ended';
    this.end(hadWorked ? 'finished' : 'failed', words.refusedText(refusal, welcome));
  }

  private tooLarge(): void {
    if (this.link.tooLarge()) this.end('failed', words.TOO_LARGE_TEXT);
  }

  private pushed({ lease, reply, paramsOk }: Told<'pushed'>): void {
    this.link.recognised();
    const settled = this.work.settle(lease);
    if (settled !== null) this.progress.pushed(reply, settled.meta.samples);
    this.link.pushAnswered();
    this.endIf(this.work.offeredWithPush(reply, settled, { paramsOk, terms: this.terms() }));
  }

  private computed({ lease, loss, samples, computeMs }: Told<'computed'>): void {
    if (!this.work.stepEnded(lease)) return;
    if (!Number.isFinite(loss)) return this.garbage(lease, 'The loss is not finite.');
    const meta = { loss, samples, computeMs };
    this.device.stepWasGood();
    this.progress.computed(meta);
    this.work.computed(lease, meta, this.nowMs);
  }

  private requestFailed({ request, failure }: Told<'request-failed'>): void {
    if (request.kind === 'hello') return this.link.helloFailed(this.nowMs);
    // A pull answered 404 is for a run that is gone: the answer to a hello says so in words.
    const gone = request.kind === 'pull' && failure.kind === 'status' && failure.status === 404;
    if (gone || isUnrecognised(failure)) this.link.unrecognised(this.nowMs);
    if (request.kind === 'pull') this.work.pullFailed(failure, this.nowMs);
    else {
      this.work.pushFailed(request.lease, failure, this.nowMs);
      if (isTooLarge(failure)) this.tooLarge();
    }
  }

  private says(who: 'userPaused' | 'operatorPaused', command: 'pause' | 'resume' | 'stop'): void {
    if (command === 'stop') {
      return who === 'userPaused' ? this.end('stopped', null) : this.end('finished', words.stopText('finished'));
    }
    this.wishes[who] = command === 'pause';
    if (this.wishes.userPaused || this.wishes.operatorPaused) this.work.releaseIdle(0);
    else this.work.wake(this.nowMs);
  }

  private endIf(stop: words.StopReason | null): void {
    if (stop !== null) this.end(stop === 'banned' ? 'failed' : 'finished', words.stopText(stop));
  }

  private end(phase: VolunteerPhase, message: string | null): void {
    this.work.releaseAll();
    this.ending = { phase, message };
    this.emit({ type: 'disconnect' });
  }

  /** A lease that comes too late is given back; nothing else is said. */
  private afterTheEnd(event: VolunteerEvent): void {
    const next = event.type === 'pulled' || event.type === 'pushed' ? event.reply.next : null;
    if (next?.kind === 'lease') this.work.release([next.lease.id]);
  }

  private terms(): Terms {
    const { userPaused, operatorPaused, hidden } = this.wishes;
    const run = this.link.session?.run;
    const allowed = Math.min(limits.LEASES_MAX, Math.max(1, run?.leasesPerWorker ?? 1));
    return {
      nowMs: this.nowMs,
      known: run !== undefined && !this.link.stale,
      deviceReady: this.device.ready,
      wanted: this.link.joined && this.device.ready && !userPaused && !operatorPaused,
      leasesMax: hidden ? limits.HIDDEN_LEASES_MAX : allowed,
      leasesAllowed: allowed,
      shardCount: run?.shards.length ?? 0,
    };
  }

  private heartbeatAtMs(): number {
    const { joined, session } = this.link;
    return joined && session !== null
      ? this.heartbeat.dueAtMs(stateOf(this.situation), session.run.heartbeatMs)
      : Infinity;
  }

  private show(): void {
    const { phase, message } = this.ending ?? lookOf(this.situation);
    const worker = this.link.session?.worker ?? null;
    const { device } = this.device;
    const view = this.display.changed({ phase, message, device, worker, figures: this.progress.now });
    if (view !== null) this.emit({ type: 'show', view });
  }

  private emit(effect: VolunteerEffect): void {
    this.effects.push(effect);
  }
}
