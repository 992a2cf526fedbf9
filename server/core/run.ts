// One run: events of its workers and its operator in, effects out. A machine without I/O. Leases are issued and settled
// at the desk (desk.ts), θ moves in the aggregator, samples are counted in the ledger, and report.ts shows it.

import type { WorkerId } from '../../shared/ids.ts';
import { initialParams } from '../../shared/model/init.ts';
import type { Next, PushReply } from '../../shared/protocol/lease.ts';
import type { NoteKind, RunStatus } from '../../shared/protocol/snapshots.ts';
import { rng } from '../../shared/rng.ts';
import { Aggregator } from './aggregator.ts';
import { Desk, RETRY_MS, type Issue } from './desk.ts';
import { Evaluation } from './evaluation.ts';
import type { CoordinatorEvent, Effect, OperatorCommand, RequestId, RunSetup, Split } from './events.ts';
import { Ledger } from './ledger.ts';
import { PARK_MS, ParkedPulls } from './parked.ts';
import { Report } from './report.ts';
import type { Sent } from './sent.ts';
import { Sessions } from './sessions.ts';

/** How often silent workers are looked for and the curves get a point. */
const HOUSEKEEPING_MS = 1000;
/** Events that show a worker to be here, whatever was thought of it; `traffic` may be the tail of one that left. */
const SPEAKS: ReadonlySet<string> = new Set<CoordinatorEvent['type']>(['pull', 'push', 'status']);

type EventOf<T extends CoordinatorEvent['type']> = Extract<CoordinatorEvent, { type: T }>;
export type RunEvent = Exclude<CoordinatorEvent, { type: 'open' }>;

export class Run {
  /** As it was opened, but for the method: that of now. */
  setup: RunSetup;
  readonly aggregator: Aggregator;
  readonly ledger: Ledger;
  readonly sessions = new Sessions();
  readonly report: Report;
  readonly desk: Desk;
  readonly evaluation: Evaluation;
  status: RunStatus = 'running';
  readonly #parked = new ParkedPulls();
  #effects: Effect[] = [];
  #servedVersion = 0;
  /** When the gate will let in who waits for it, by time alone. */
  #gateOpensMs: number | null = null;
  #housekeptMs: number;

  /** Throws when the method's hyper-parameters do not fit. */
  constructor(setup: RunSetup, nowMs: number) {
    const { config, method, layout, shardCounts } = setup;
    const { batchSize, epochs } = config;
    const random = rng(config.seed);
    this.setup = setup;
    this.ledger = new Ledger({ shards: shardCounts, batchSize, epochs, random: random.fork('data') });
    this.aggregator = new Aggregator({
      method,
      config: config.method,
      theta: initialParams(layout, random.fork('params')),
      samplesPerEpoch: this.ledger.samplesPerEpoch,
      codec: config.codec.params,
    });
    this.evaluation = new Evaluation(config.evaluateEveryVersions);
    this.report = new Report(nowMs);
    const { aggregator, ledger, sessions, report } = this;
    this.desk = new Desk({ config: config.leases, aggregator, ledger, sessions, report });
    this.#housekeptMs = nowMs;
  }

  get ended(): boolean {
    return this.status === 'finished' || this.status === 'stopped';
  }

  handle(event: RunEvent, nowMs: number): Effect[] {
    this.#effects = [];
    if ('worker' in event) this.sessions.seen(event.worker, nowMs, SPEAKS.has(event.type));
    this.#elapse(nowMs); // a deadline counts even when its tick comes after the event
    this.#dispatch(event, nowMs);
    this.#advance(nowMs);
    return this.#effects;
  }

  nextDeadlineMs(): number | null {
    const times = [this.#parked.nextDeadlineMs()];
    if (!this.ended) {
      if (this.#parked.size > 0) times.push(this.#gateOpensMs);
      times.push(this.desk.leases.nextDeadlineMs(), this.aggregator.axes.gather.deadlineMs());
      if (this.sessions.presentCount > 0) times.push(this.#housekeptMs + HOUSEKEEPING_MS);
    }
    const set = times.filter((time) => time !== null);
    return set.length === 0 ? null : Math.min(...set);
  }

  #dispatch(event: RunEvent, nowMs: number): void {
    switch (event.type) {
      case 'join':
        this.sessions.join(event, nowMs);
        if (this.status === 'paused') this.#control(event.worker, 'pause');
        return;
      case 'away':
      case 'leave':
        return this.#leave(event.worker, nowMs);
      case 'status':
        return this.sessions.said(event.worker, event.state);
      case 'pull':
        return this.#pull(event, nowMs);
      case 'push':
        return this.#push(event, nowMs);
      case 'unreadable':
        return this.sessions.get(event.worker).reject(event.error);
      case 'release':
        for (const id of event.leases) this.desk.giveBack(event.worker, id);
        return;
      case 'cancel':
        return this.#parked.cancel(event.request);
      case 'traffic':
        return this.sessions.traffic(event.worker, event);
      case 'operator':
        return this.#operate(event.command, nowMs);
      case 'method':
        return this.#changeMethod(event, nowMs);
      case 'evaluated':
        return this.#evaluated(event.split, event, nowMs);
      case 'evaluation-failed':
        this.evaluation.failed();
        return this.#note('trouble', `the ${event.split} evaluation failed`);
      case 'ban':
      case 'unban':
      case 'trusted':
      case 'recomputed':
      case 'drain':
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
      for (const worker of this.sessions.silent(nowMs)) this.#leave(worker, nowMs);
    }
    this.#poll(nowMs);
  }

  /** What the event has made due, whatever it was. */
  #advance(nowMs: number): void {
    this.#poll(nowMs);
    this.#evaluate();
    this.#serveParked(nowMs);
    this.report.point(this, nowMs);
  }

  #pull({ worker, request }: EventOf<'pull'>, nowMs: number): void {
    const { next, sent } = this.desk.issue(worker, this.status, nowMs);
    if (next.kind !== 'wait' || next.reason === 'lease-limit') return this.#reply(request, { next }, sent);
    const replaced = this.#parked.park({ worker, request, untilMs: nowMs + PARK_MS, reason: next.reason });
    if (replaced)
      this.#reply(replaced.request, { next: { kind: 'wait', retryAfterMs: RETRY_MS, reason: replaced.reason } });
  }

  #serveParked(nowMs: number): void {
    const { version } = this.aggregator;
    const opens = nowMs >= (this.#gateOpensMs ?? Infinity);
    const changed = this.desk.capacityChanged || this.ended || opens || this.#servedVersion !== version;
    this.desk.capacityChanged = false;
    this.#servedVersion = version;
    for (const pull of this.#parked.all()) {
      if (!changed && nowMs < pull.untilMs) continue;
      const { next, sent } = this.desk.issue(pull.worker, this.status, nowMs);
      if (next.kind === 'wait' && nowMs < pull.untilMs) continue;
      this.#parked.remove(pull);
      this.#reply(pull.request, { next }, sent);
    }
    const opensMs = this.aggregator.axes.gate.deadlineMs?.() ?? null;
    this.#gateOpensMs = opensMs !== null && opensMs > nowMs ? opensMs : null;
  }

  #push(event: EventOf<'push'>, nowMs: number): void {
    const known = this.desk.leases.settlement(event.lease);
    const repeated = known?.worker === event.worker;
    const settlement = repeated ? known : this.desk.settle(event, this.ended, nowMs);
    this.#poll(nowMs); // before the next lease: a round that this push ends must not be joined any more
    if (!this.ended && this.ledger.complete) this.#end('finished', nowMs);
    // What was refused goes to those who wait for work: a worker whose pushes are all refused would take it for ever.
    if (settlement.outcome === 'rejected') this.#serveParked(nowMs);
    const { next, sent } = this.#afterPush(event, nowMs);
    const { outcome, reason, lag, gap } = settlement;
    const { version } = this.aggregator;
    this.#reply(event.request, { outcome, ...(reason && { reason }), repeated, version, lag, gap, next }, sent);
  }

  #afterPush({ worker, wantsNext }: EventOf<'push'>, nowMs: number): Issue {
    if (wantsNext || this.ended) return this.desk.issue(worker, this.status, nowMs);
    return { next: { kind: 'wait', retryAfterMs: 0, reason: 'paused' }, sent: null };
  }

  #leave(worker: WorkerId, nowMs: number): void {
    this.desk.giveBackAll(this.desk.leases.of(worker));
    const parked = this.#parked.takeOf(worker);
    if (parked) this.#reply(parked.request, { next: { kind: 'wait', retryAfterMs: RETRY_MS, reason: parked.reason } });
    this.ledger.forget(worker);
    if (this.sessions.leave(worker, nowMs)) this.aggregator.leave(worker);
  }

  #operate(command: OperatorCommand, nowMs: number): void {
    if (this.ended) return;
    if (command === 'stop') return this.#end('stopped', nowMs);
    const status = command === 'pause' ? 'paused' : 'running';
    if (this.status === status) return;
    this.status = status;
    this.desk.capacityChanged = true;
    this.#control('all', command);
    this.#note('run', `the run is ${status}: the operator said ${command}`);
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
    if (aggregator.axes.work.kind !== worked) desk.giveBackAll(desk.leases.all());
    desk.capacityChanged = true;
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
    this.desk.giveBackAll(this.desk.leases.all());
    // What was counted is in θ, though there was not enough of it for an update.
    if (this.aggregator.poll(nowMs, { outstanding: 0, closing: true })) this.report.updated(nowMs);
    this.status = status;
    this.#control('all', 'stop');
    this.#note(
      'run',
      `the run is ${status} at version ${this.aggregator.version}, with ${this.ledger.counted} samples counted`,
    );
  }

  #evaluate(): void {
    const { version, theta } = this.aggregator;
    const split = this.evaluation.next(version, this.ended);
    if (split)
      this.#effects.push({ type: 'evaluate', run: this.setup.config.id, version, split, theta: theta.slice() });
  }

  #evaluated(split: Split, { loss, accuracy }: { loss: number; accuracy: number }, nowMs: number): void {
    this.evaluation.done(split, { loss, accuracy });
    if (split === 'validation') this.report.evaluated(this, nowMs);
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
