// One open tab: the shell around a real volunteer machine under virtual time. It carries the machine's effects over the
// simulated network, brings the answers back, and keeps the vectors that belong to its leases. It decides nothing.

import type { Lease, PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Device, Hello } from '../../shared/protocol/messages.ts';
import type { Rng } from '../../shared/rng.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Failure, Request, VolunteerEffect, VolunteerEvent } from '../../shared/volunteer/events.ts';
import { Volunteer } from '../../shared/volunteer/machine.ts';
import { Alarm, type Clock } from './clock.ts';
import type { Connection, Hub, PushArrival } from './hub.ts';
import type { Machine } from './machine.ts';
import type { Link, Message } from './network.ts';

const DEVICE: Device = { backend: 'other', adapter: 'simulated', fallback: false, tried: [] };

export interface TabOptions {
  readonly run: string;
  readonly name: string;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly link: Link;
  readonly machine: Machine;
  /** By how much the volunteer's clock is ahead of the coordinator's; default 0. */
  readonly skewMs?: number;
  /** For jitter alone. */
  readonly random: Rng;
}

type Effect<T extends VolunteerEffect['type']> = Extract<VolunteerEffect, { type: T }>;

export class Tab {
  readonly #options: TabOptions;
  readonly #volunteer: Volunteer;
  readonly #alarm: Alarm;
  /** For each lease, its parameters, and in the same memory, once they have served, its gradient. */
  readonly #kept = new Map<string, Vec>();
  /** Events that came while one was being handled. */
  readonly #queue: VolunteerEvent[] = [];
  #handling = false;
  #connection: Connection | null = null;
  #token = '';
  #alive = true;

  constructor(options: TabOptions) {
    const { run, name, clock, random, link } = options;
    this.#options = options;
    this.#volunteer = new Volunteer({ run, name }, random);
    this.#alarm = new Alarm(
      clock,
      () => this.#dueMs(),
      () => this.#tell({ type: 'tick' }),
    );
    for (const { fromMs } of link.cuts) if (fromMs >= clock.nowMs) clock.at(fromMs + link.detectMs, () => this.#cut());
  }

  open(): void {
    this.#tell({ type: 'start' });
  }

  /** The volunteer presses stop: leases are given back. */
  close(): void {
    this.#tell({ type: 'user', command: 'stop' });
  }

  /** Gone without a word. The coordinator notices the closed connection later. */
  crash(): void {
    this.#alive = false;
    const connection = this.#connection;
    const { clock, hub, link } = this.#options;
    if (connection) clock.after(link.detectMs, () => hub.closed(connection, 'away'));
  }

  get #skewMs(): number {
    return this.#options.skewMs ?? 0;
  }

  /** By the coordinator's clock. */
  #dueMs(): number | null {
    const dueMs = this.#alive ? this.#volunteer.nextDeadlineMs() : null;
    return dueMs === null ? null : dueMs - this.#skewMs;
  }

  #tell(event: VolunteerEvent): void {
    if (!this.#alive) return;
    this.#queue.push(event);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const nowMs = this.#options.clock.nowMs + this.#skewMs;
      for (const effect of this.#volunteer.handle(next, nowMs)) this.#perform(effect);
    }
    this.#handling = false;
    this.#alarm.set();
  }

  #perform(effect: VolunteerEffect): void {
    switch (effect.type) {
      case 'choose-device':
        return this.#tell({ type: 'device-ready', device: DEVICE });
      case 'connect':
        return this.#connect();
      case 'hello':
        return this.#hello(effect.hello);
      case 'pull':
        return this.#pull();
      case 'push':
        return this.#push(effect);
      case 'fetch-shard':
        return this.#tell({ type: 'shard-ready', shard: effect.shard }); // cached from an earlier visit
      case 'compute':
        return this.#compute(effect.lease);
      case 'release':
        return this.#release(effect.leases);
      case 'forget':
        return this.#forget(effect.lease);
      case 'status':
        return this.#overConnection((connection) => this.#options.hub.status(connection, effect.status));
      case 'show':
        return;
      case 'disconnect':
        return this.#overConnection((connection) => this.#options.hub.closed(connection, 'leave'));
      default:
        effect satisfies never;
    }
  }

  #connect(): void {
    const { link, clock } = this.#options;
    const connection: Connection = {
      worker: null,
      honest: this.#options.machine.honest,
      control: (command) => {
        const deliver = (): void => this.#tell({ type: 'control', command });
        link.sendReliably({ deliver, lost: () => undefined });
      },
    };
    const failed = (): void => clock.after(link.timeoutMs, () => this.#tell({ type: 'disconnected' }));
    const opened = (): void => {
      this.#connection = connection;
      this.#tell({ type: 'connected' });
    };
    link.sendReliably({ deliver: () => link.sendReliably({ deliver: opened, lost: failed }), lost: failed });
  }

  /** A partition has lasted long enough to be noticed: the connection is closed at both ends. */
  #cut(): void {
    const { link, clock, hub } = this.#options;
    const connection = this.#connection;
    if (connection === null || !link.isCut(clock.nowMs)) return;
    this.#connection = null;
    hub.closed(connection, 'away');
    this.#tell({ type: 'disconnected' });
  }

  #overConnection(say: (connection: Connection) => void): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#options.link.sendReliably({ deliver: () => say(connection), lost: () => undefined });
  }

  #hello(hello: Hello): void {
    const connection = this.#connection;
    const arrive = (answer: RoundTrip): void => {
      if (connection === null || connection !== this.#connection) return answer.lost();
      const welcome = this.#options.hub.admit(connection, hello);
      answer.send(() => {
        if (welcome.ok) this.#token = welcome.token;
        this.#tell({ type: 'welcome', welcome });
      });
    };
    this.#ask({ kind: 'hello' }, arrive, (message) => this.#options.link.sendReliably(message));
  }

  #pull(): void {
    const token = this.#token;
    this.#ask({ kind: 'pull' }, (answer) => {
      const answered = (reply: PullReply, params: Vec | null): void =>
        answer.send(() => this.#tell({ type: 'pulled', reply, paramsOk: this.#keep(reply, params) }));
      this.#options.hub.pull(token, answered, answer.fail);
    });
  }

  #push({ lease, meta, next }: Effect<'push'>): void {
    const vector = this.#kept.get(lease.id);
    if (vector === undefined) throw new Error(`invariant violation: no gradient kept for lease ${lease.id}`);
    const token = this.#token;
    const push: PushArrival = { ...meta, lease: lease.id, vector, next, honest: this.#options.machine.honest };
    this.#ask({ kind: 'push', lease: lease.id }, (answer) => {
      const answered = (reply: PushReply, params: Vec | null): void =>
        answer.send(() => this.#tell({ type: 'pushed', lease: lease.id, reply, paramsOk: this.#keep(reply, params) }));
      this.#options.hub.push(token, push, { answer: answered, failed: answer.fail });
    });
  }

  /** One request: it may arrive twice, or its answer; the machine hears of the first, or that there was none. */
  #ask(
    request: Request,
    arrive: (answer: RoundTrip) => void,
    carry = (message: Message): void => this.#options.link.send(message),
  ): void {
    const { clock, link } = this.#options;
    let open = true;
    const once = (then: () => void): void => {
      if (!open) return;
      open = false;
      then();
    };
    const fail = (failure: Failure): void => once(() => this.#tell({ type: 'request-failed', request, failure }));
    const lost = (): void => clock.after(link.timeoutMs, () => fail({ kind: 'network' }));
    const answer: RoundTrip = {
      send: (deliver) => carry({ deliver: () => once(deliver), lost }),
      fail: (failure) => carry({ deliver: () => fail(failure), lost }),
      lost,
    };
    carry({ deliver: () => arrive(answer), lost });
  }

  /** Whether parameters came; they are kept before the machine hears of their lease. */
  #keep({ next }: PullReply, params: Vec | null): boolean {
    if (next.kind !== 'lease' || params === null) return false;
    if (!this.#kept.has(next.lease.id)) this.#kept.set(next.lease.id, params);
    return true;
  }

  /** The lease is settled, so its push has arrived; unless messages are doubled, nothing else carries its vector. */
  #forget(lease: string): void {
    const vector = this.#kept.get(lease);
    this.#kept.delete(lease);
    if (vector !== undefined && !this.#options.link.doubles) this.#options.hub.recycle(vector);
  }

  #release(leases: readonly string[]): void {
    for (const lease of leases) this.#kept.delete(lease);
    this.#overConnection((connection) => this.#options.hub.release(connection, leases));
  }

  #compute(lease: Lease): void {
    const vector = this.#kept.get(lease.id);
    if (vector === undefined) throw new Error(`invariant violation: no parameters kept for lease ${lease.id}`);
    const { clock, machine } = this.#options;
    const computeMs = machine.durationMs(lease);
    clock.after(computeMs, async () => {
      if (!this.#alive) return;
      const loss = await machine.compute(lease, vector);
      const samples = lease.batches.reduce((sum, { count }) => sum + count, 0);
      this.#tell({ type: 'computed', lease: lease.id, loss, samples, computeMs });
    });
  }
}

interface RoundTrip {
  /** Sends the answer back. */
  readonly send: (deliver: () => void) => void;
  readonly fail: (failure: Failure) => void;
  /** No answer will be sent. */
  readonly lost: () => void;
}
