// One run: events of its workers and its operator in, effects out. A machine without I/O. Leases are issued and settled
// at the desk (desk.ts), θ moves in the aggregator, samples are counted in the ledger, and report.ts shows it.

import { deviceOf, workersOf, type WorkerId } from '../../shared/ids.ts';
import type { Next, PushReply } from '../../shared/protocol/lease.ts';
import type { NoteKind } from '../../shared/protocol/snapshots.ts';
import type { BannedBy } from './defence/bans.ts';
import type { Issue } from './desk.ts';
import type { CoordinatorEvent, Effect, OperatorCommand, RequestId, Split } from './events.ts';
import { Measuring } from './measuring.ts';
import { Presence } from './presence.ts';
import { Pulls } from './pulls.ts';
import { RunState, type Opening } from './runstate.ts';
import type { Sent } from './sent.ts';

/** How often silent workers are looked for and the curves get a point. */
const HOUSEKEEPING_MS = 1000;

type EventOf<T extends CoordinatorEvent['type']> = Extract<CoordinatorEvent, { type: T }>;
export type RunEvent = Exclude<CoordinatorEvent, { type: 'open' }>;

export class Run extends RunState {
  readonly #pulls: Pulls;
  readonly #presence: Presence;
  readonly #measuring: Measuring;
  #effects: Effect[] = [];
  #housekeptMs: number;

  /** Throws one sentence when the method's hyper-parameters do not fit, or the snapshot is not of this run. */
  constructor(opening: Opening, nowMs: number) {
    super(opening, nowMs);
    const { aggregator, desk, ledger, sessions } = this;
    this.#measuring = new Measuring({
      run: this,
      note: (kind, text) => this.#note(kind, text),
      halt: (because) => this.#halt(because),
    });
    this.#pulls = new Pulls({
      ...{ desk, aggregator, status: () => this.status },
      reply: (request, reply, sent) => this.#reply(request, reply, sent),
    });
    this.#presence = new Presence({
      ...{ sessions, desk, ledger, aggregator, awayMax: this.setup.config.workersMax },
      sendAway: (worker) => this.#pulls.sendAway(worker),
    });
    this.#housekeptMs = this.clock.at(nowMs);
  }

  /** What follows from its being opened; nothing that moves θ. */
  opened(resumed: boolean): Effect[] {
    this.#effects = [];
    const { version } = this.aggregator;
    if (resumed && !this.ended)
      this.#note('run', `the run goes on from version ${version}, with ${this.ledger.counted} samples counted`);
    this.#evaluate();
    return this.#effects;
  }

  handle(event: RunEvent, hostMs: number): Effect[] {
    this.#effects = [];
    const nowMs = this.clock.at(hostMs);
    if ('worker' in event && this.defences.banned(event.worker) === null)
      this.#presence.heard(event.worker, event.type, nowMs);
    this.#elapse(nowMs); // a deadline counts even when its tick comes after the event
    this.#dispatch(event, nowMs);
    this.#advance(nowMs);
    return this.#effects;
  }

  nextDeadlineMs(): number | null {
    const times = [this.#pulls.nextDeadlineMs(this.ended)];
    if (!this.ended) {
      times.push(this.desk.leases.nextDeadlineMs(), this.aggregator.axes.gather.deadlineMs());
    }
    if (!this.sessions.allGone) times.push(this.#housekeptMs + HOUSEKEEPING_MS);
    const set = times.filter((time) => time !== null);
    return set.length === 0 ? null : this.clock.hostAt(Math.min(...set));
  }

  #dispatch(event: RunEvent, nowMs: number): void {
    switch (event.type) {
      case 'join':
        this.#presence.join(event, nowMs);
        if (this.defences.banned(event.worker) !== null) return this.#cut(event.worker, nowMs);
        if (this.status === 'paused') this.#control(event.worker, 'pause');
        return;
      case 'away':
        return this.#presence.away(event.worker, nowMs);
      case 'leave':
        return this.#presence.leave(event.worker, nowMs);
      case 'status':
        return this.sessions.said(event.worker, event.state);
      case 'pull':
        return this.#pulls.take(event, nowMs);
      case 'push':
        return this.#push(event, nowMs);
      case 'unreadable':
        return this.sessions.get(event.worker).reject(event.error);
      case 'release':
        for (const id of event.leases) this.desk.giveBack(event.worker, id);
        return;
      case 'cancel':
        return this.#pulls.cancel(event.request);
      case 'traffic':
        return this.sessions.traffic(event.worker, event);
      case 'operator':
        return this.#operate(event.command, nowMs);
      case 'method':
        return this.#changeMethod(event, nowMs);
      case 'evaluated':
        return this.#evaluated(event.split, event, nowMs);
      case 'evaluation-failed':
        return this.#measuring.failed(event.split);
      case 'ban':
        return this.#ban(event, 'operator', nowMs);
      case 'unban':
        if (this.defences.unban(event.worker)) this.#note('unbanned', 'it may be back: it begins anew', event.worker);
        return;
      case 'trusted':
        if (this.defences.trusted(event))
          this.#note('trouble', 'the gradient on held-out samples cannot be taken: no worker is scored by it');
        return;
      case 'recomputed':
        return this.defences.recomputed(event);
      case 'drain':
        this.desk.leave();
        return;
      case 'tick':
        return;
      default:
        event satisfies never;
    }
  }

  /** What time alone has made due since the last event. */
  #elapse(nowMs: number): void {
    this.desk.expire(nowMs);
    if (nowMs >= this.#housekeptMs + HOUSEKEEPING_MS) {
      this.#housekeptMs = nowMs;
      this.#presence.leaveSilent(nowMs);
    }
    this.#poll(nowMs);
  }

  /** What the event has made due, whatever it was. */
  #advance(nowMs: number): void {
    this.#poll(nowMs);
    this.#defend(nowMs);
    this.#evaluate();
    this.#pulls.serve(nowMs);
    this.report.point(this, nowMs);
  }

  #push(event: EventOf<'push'>, nowMs: number): void {
    const known = this.desk.leases.settlement(event.lease);
    const repeated = known?.worker === event.worker;
    const settlement = repeated ? known : this.desk.settle(event, this.ended, nowMs);
    this.#defend(nowMs); // before the next lease: who is banned by this push gets none
    this.#poll(nowMs); // before the next lease: a round that this push ends must not be joined any more
    if (!this.ended && this.ledger.complete) this.#end('finished', nowMs);
    // What was refused goes to those who wait for work: a worker whose pushes are all refused would take it for ever.
    if (settlement.outcome === 'rejected') this.#pulls.serve(nowMs);
    const { next, sent } = this.#afterPush(event, nowMs);
    const { outcome, reason, lag, gap } = settlement;
    const { version } = this.aggregator;
    this.#reply(event.request, { outcome, ...(reason && { reason }), repeated, version, lag, gap, next }, sent);
  }

  #afterPush({ worker, wantsNext }: EventOf<'push'>, nowMs: number): Issue {
    if (wantsNext || this.ended) return this.desk.issue(worker, this.status, nowMs);
    return { next: { kind: 'wait', retryAfterMs: 0, reason: 'paused' }, sent: null };
  }

  #operate(command: OperatorCommand, nowMs: number): void {
    if (this.ended) return;
    if (command === 'stop') return this.#end('stopped', nowMs);
    const status = command === 'pause' ? 'paused' : 'running';
    if (this.status === status) return;
    if (command === 'resume') this.rollback.again();
    this.#become(status);
    this.#note('run', `the run is ${status}: the operator said ${command}`);
  }

  #become(status: 'running' | 'paused'): void {
    this.status = status;
    this.desk.capacityChanged = true;
    this.#control('all', status === 'paused' ? 'pause' : 'resume');
  }

  #halt(because: string): void {
    if (this.status === 'running') this.#become('paused');
    this.#note('trouble', `the run is paused: ${because}`);
  }

  /** From the same θ, which nothing here touches but what had been gathered. */
  #changeMethod({ method, config }: EventOf<'method'>, nowMs: number): void {
    if (this.ended) return;
    const { setup, aggregator, desk } = this;
    const worked = aggregator.axes.work.kind;
    const before = aggregator.version;
    aggregator.become(method, config, { nextSequence: this.ledger.made, nowMs });
    if (aggregator.version !== before) this.report.updated(nowMs);
    // A gradient is no pseudo-gradient: what is being computed for the old method is of no use to the new one.
    if (aggregator.axes.work.kind !== worked) desk.voidAll();
    desk.capacityChanged = true;
    this.rollback.methodChanged();
    this.setup = { ...setup, method, config: { ...setup.config, method: config } };
    this.#note(
      'method',
      `the method is ${method.name} from version ${aggregator.version} on; it was ${setup.method.name}`,
    );
  }

  #poll(nowMs: number): void {
    if (!this.ended && this.aggregator.poll(nowMs, this.desk.crowd)) this.report.updated(nowMs);
    const note = this.aggregator.axes.gather.note?.();
    if (note) this.#note('method', note);
  }

  #end(status: 'finished' | 'stopped', nowMs: number): void {
    this.desk.voidAll(); // so that all who wait are served
    // What was counted is in θ, though there was not enough of it for an update.
    if (this.aggregator.poll(nowMs, { outstanding: 0, closing: true })) this.report.updated(nowMs);
    this.status = status;
    this.#control('all', 'stop');
    this.#note(
      'run',
      `the run is ${status} at version ${this.aggregator.version}, with ${this.ledger.counted} samples counted`,
    );
  }

  /** Bans whom the defences have found out, and asks for what they need to know. */
  #defend(nowMs: number): void {
    for (const sentence of this.defences.takeSentences()) this.#ban(sentence, 'defences', nowMs);
    const { version, theta } = this.aggregator;
    if (!this.ended && this.sessions.presentCount > 0) this.defences.ask(version, theta, nowMs);
    this.#effects.push(...this.defences.takeEffects());
  }

  #ban({ worker, reason }: { worker: WorkerId; reason: string }, by: BannedBy, nowMs: number): void {
    this.defences.ban({ worker, reason }, by);
    this.#cut(worker, nowMs);
    this.#note('banned', reason, worker);
  }

  /** It is gone, and its device's other workers with it; their connections are closed. */
  #cut(worker: WorkerId, nowMs: number): void {
    for (const one of new Set([worker, ...workersOf(deviceOf(worker))])) this.#presence.leave(one, nowMs);
    this.#effects.push({ type: 'cut', run: this.setup.config.id, worker });
  }

  #evaluate(): void {
    const { version, theta } = this.aggregator;
    if (this.desk.leaving) return; // nobody would be there to hear of it
    const split = this.#measuring.next(this.ended);
    if (split)
      this.#effects.push({ type: 'evaluate', run: this.setup.config.id, version, split, theta: theta.slice() });
  }

  #evaluated(split: Split, { loss, accuracy }: { loss: number; accuracy: number }, nowMs: number): void {
    this.evaluation.done(split, { loss, accuracy });
    if (split === 'test') return;
    this.report.evaluated(this, nowMs);
    this.#measuring.judge(loss, this.ended);
  }

  #reply(request: RequestId, reply: PushReply | { next: Next }, sent: Sent | null = null): void {
    this.#effects.push({ type: 'reply', request, reply, sent });
  }

  #control(worker: WorkerId | 'all', kind: 'pause' | 'resume' | 'stop'): void {
    this.#effects.push({ type: 'control', run: this.setup.config.id, worker, kind });
  }

  #note(kind: NoteKind, text: string, worker: WorkerId | null = null): void {
    this.#effects.push({ type: 'note', run: this.setup.config.id, kind, worker, text });
  }
}
