// The volunteer: a worker's side of the protocol as a deterministic state machine. Events in, effects out; it reads no
// clock, socket or random source, and owns no vectors: leases are named, and the shell keeps what belongs to them.
// The rules are those of docs/SPEC.md, section V. See events.ts for what answers what, work.ts for the leases.

import type { Backend, Welcome } from '../protocol/messages.ts';
import { PROTOCOL_VERSION, refusalText } from '../protocol/version.ts';
import type { Rng } from '../rng.ts';
import { DeviceKeeper } from './device.ts';
import type { VolunteerEffect, VolunteerEvent } from './events.ts';
import { Heartbeat } from './heartbeat.ts';
import * as limits from './limits.ts';
import { Link } from './link.ts';
import { lookOf, stateOf, type Look, type Situation } from './look.ts';
import { Progress, sameView } from './progress.ts';
import { isUnrecognised } from './retry.ts';
import type { VolunteerPhase, VolunteerView } from './view.ts';
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
  private started = false;
  private ending: Look | null = null;
  private userPaused = false;
  private operatorPaused = false;
  private hidden = false;
  /** Why another device is being chosen. */
  private trouble: string | null = null;
  private shown: VolunteerView | null = null;
  /** Of the event being handled. */
  private nowMs = 0;
  private effects: VolunteerEffect[] = [];

  constructor(options: VolunteerOptions, random: Rng) {
    this.options = options;
    this.link = new Link(random);
    this.work = new Work(random, (effect) => this.effects.push(effect));
  }

  /** One thing has happened at `nowMs`, which never runs backwards. Carry out the effects in order. */
  handle(event: VolunteerEvent, nowMs: number): VolunteerEffect[] {
    this.nowMs = nowMs;
    this.effects = [];
    if (this.over) this.afterTheEnd(event);
    else {
      this.hear(event);
      if (this.started && !this.over) this.advance();
      this.show();
    }
    return this.effects;
  }

  /** When to send `tick` if nothing else happens before; null for never. Later than the last event's time. */
  nextDeadlineMs(): number | null {
    if (this.over || !this.started) return null;
    const atMs = Math.min(
      this.link.nextDeadlineMs(this.device.ready),
      this.work.nextDeadlineMs(this.terms()),
      this.heartbeatAtMs(),
    );
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
        return this.link.disconnected(this.nowMs);
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
        return this.operatorSays(event.command);
      case 'user':
        return this.userSays(event.command);
      case 'visibility':
        this.hidden = event.hidden;
        return this.hidden ? this.work.releaseIdle(limits.HIDDEN_LEASES_MAX) : undefined;
      case 'woke':
        this.link.hurry(this.nowMs);
        this.heartbeat.reset(); // the coordinator may think us gone
        return this.work.wake(this.nowMs);
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
    const due = this.link.due(this.nowMs, this.device.ready);
    if (due === 'connect') this.emit({ type: 'connect' });
    if (due === 'hello') this.emit({ type: 'hello', hello: this.link.hello(this.options, this.device.device!) });
    this.work.advance(this.terms());
    if (this.heartbeatAtMs() > this.nowMs) return;
    const state = stateOf(this.situation());
    this.heartbeat.told(state, this.nowMs);
    this.emit({ type: 'status', status: { state } });
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    this.link.start(this.nowMs);
    this.chooseDevice(null);
  }

  private chooseDevice(trouble: string | null): void {
    this.trouble = trouble;
    this.device.choosing = true;
    const { exclude } = this.device;
    const { backend } = this.options;
    const prefer = backend === undefined || exclude.includes(backend) ? null : backend;
    this.emit({ type: 'choose-device', prefer, exclude });
  }

  private deviceChosen({ device }: Told<'device-ready'>): void {
    if (!this.device.choosing) return;
    if (this.device.chosen(device)) this.link.introduceAgain(this.nowMs);
    this.trouble = null;
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
    if (!welcome.ok) return this.refused(welcome);
    if (welcome.protocol !== PROTOCOL_VERSION) {
      const refusal = welcome.protocol > PROTOCOL_VERSION ? 'client-too-old' : 'server-too-old';
      return this.end('failed', refusalText(refusal));
    }
    if (this.link.admitted(welcome) === 'another-run') this.work.startOver();
    this.operatorPaused = false;
    this.heartbeat.reset();
    this.work.wake(this.nowMs);
  }

  private refused(welcome: Extract<Welcome, { ok: false }>): void {
    if (welcome.refusal === 'too-many-workers') return this.link.runIsFull(this.nowMs);
    const hadWorked = this.link.session !== null && welcome.refusal === 'run-ended';
    this.end(hadWorked ? 'finished' : 'failed', words.refusedText(welcome));
  }

  private pushed({ lease, reply, paramsOk }: Told<'pushed'>): void {
    this.link.recognised();
    const settled = this.work.settle(lease);
    if (settled !== null) this.progress.pushed(reply, settled.meta.samples);
    const asked = settled?.next ?? true;
    this.endIf(this.work.offeredWithPush(reply, asked, { paramsOk, terms: this.terms() }));
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
    else this.work.pushFailed(request.lease, failure, this.nowMs);
  }

  private operatorSays(command: 'pause' | 'resume' | 'stop'): void {
    if (command === 'stop') return this.end('finished', words.stopText('finished'));
    this.operatorPaused = command === 'pause';
    this.restOrWake();
  }

  private userSays(command: 'pause' | 'resume' | 'stop'): void {
    if (command === 'stop') return this.end('stopped', null);
    this.userPaused = command === 'pause';
    this.restOrWake();
  }

  private restOrWake(): void {
    if (this.userPaused || this.operatorPaused) this.work.releaseIdle(0);
    else this.work.wake(this.nowMs);
  }

  private endIf(stop: words.StopReason | null): void {
    if (stop !== null) this.end('finished', words.stopText(stop));
  }

  private end(phase: VolunteerPhase, message: string | null): void {
    this.work.releaseAll();
    this.ending = { phase, message };
    this.emit({ type: 'disconnect' });
  }

  /** A lease that comes too late is given back; nothing else is said. */
  private afterTheEnd(event: VolunteerEvent): void {
    if (event.type !== 'pulled' && event.type !== 'pushed') return;
    if (event.reply.next.kind === 'lease') this.work.release([event.reply.next.lease.id]);
  }

  private terms(): Terms {
    const run = this.link.session?.run;
    const allowed = Math.min(limits.LEASES_MAX, Math.max(1, run?.leasesPerWorker ?? 1));
    return {
      nowMs: this.nowMs,
      known: run !== undefined && !this.link.stale,
      deviceReady: this.device.ready,
      wanted: this.link.joined && this.device.ready && !this.userPaused && !this.operatorPaused,
      leasesMax: this.hidden ? limits.HIDDEN_LEASES_MAX : allowed,
      shardCount: run?.shards.length ?? 0,
    };
  }

  private heartbeatAtMs(): number {
    const { joined, session } = this.link;
    return joined && session !== null
      ? this.heartbeat.dueAtMs(stateOf(this.situation()), session.run.heartbeatMs)
      : Infinity;
  }

  private situation(): Situation {
    const { link, trouble, userPaused, operatorPaused, hidden } = this;
    const { inHand, waiting } = this.work;
    return { deviceReady: this.device.ready, trouble, userPaused, operatorPaused, hidden, link, inHand, waiting };
  }

  private show(): void {
    const look = this.ending ?? lookOf(this.situation());
    const who = { device: this.device.device, worker: this.link.session?.worker ?? null };
    const view: VolunteerView = { ...look, ...who, ...this.progress.now };
    if (this.shown !== null && sameView(this.shown, view)) return;
    this.shown = view;
    this.emit({ type: 'show', view });
  }

  private emit(effect: VolunteerEffect): void {
    this.effects.push(effect);
  }
}
