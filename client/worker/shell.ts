// Runs the volunteer machine: carries its effects out over the ports, brings their answers back as events, and keeps the
// vectors that belong to its leases. One timer, for the machine's next deadline; everything else is driven by answers,
// since hidden tabs slow timers down but neither messages nor requests. It decides nothing.

import type { Samples } from '../../shared/data/spec.ts';
import type { Lease, Next } from '../../shared/protocol/lease.ts';
import type { Hello, RunManifest, Welcome } from '../../shared/protocol/messages.ts';
import type { Rng } from '../../shared/rng.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Failure, Request, VolunteerEffect, VolunteerEvent } from '../../shared/volunteer/events.ts';
import { Volunteer, type VolunteerOptions } from '../../shared/volunteer/machine.ts';
import type { VolunteerView } from '../../shared/volunteer/view.ts';
import { greet, type Pass } from './greeting.ts';
import { RequestError, type Compute, type Control, type ControlListener, type Transport } from './ports.ts';
import { Throttle } from './throttle.ts';
import { nextTurn } from './turn.ts';

/** A page is redrawn at most this often; a change of phase is shown at once. */
const VIEW_MS_MIN = 250;
/** setTimeout's largest; a later deadline is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const NO_PASS: Pass = { key: Promise.resolve(null), joinCode: null };

export interface ShellOptions extends VolunteerOptions {
  readonly compute: Compute;
  readonly transport: Transport;
  readonly control: (listener: ControlListener) => Control;
  /** Nothing but its token shows who it is, when absent. */
  readonly pass?: Pass;
  /** For jitter alone. */
  readonly random: Rng;
  readonly onView: (view: VolunteerView) => void;
  readonly onWelcome?: (welcome: Extract<Welcome, { ok: true }>) => void;
}

export class Shell {
  readonly #machine: Volunteer;
  readonly #compute: Compute;
  readonly #transport: Transport;
  readonly #control: Control;
  readonly #pass: Pass;
  readonly #onWelcome: ShellOptions['onWelcome'];
  readonly #views: Throttle<VolunteerView>;
  /** For each lease, its parameters, and in the same memory, once they have served, its gradient. */
  readonly #kept = new Map<string, Vec>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Events that came while one was being handled. */
  readonly #queue: VolunteerEvent[] = [];
  #handling = false;
  #run: RunManifest | null = null;
  /** The lease whose parameters a step is reading. */
  #computing: string | null = null;
  /** How many devices have been asked for: an older one is not heard any more. */
  #devices = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ compute, transport, control, pass = NO_PASS, random, onView, onWelcome, ...who }: ShellOptions) {
    this.#machine = new Volunteer(who, random);
    this.#compute = compute;
    this.#transport = transport;
    this.#pass = pass;
    this.#onWelcome = onWelcome;
    this.#views = new Throttle(onView, { everyMs: VIEW_MS_MIN, urgent: (a, b) => a.phase !== b.phase });
    this.#control = control({
      connected: () => this.#tell({ type: 'connected' }),
      disconnected: (tooLarge) => this.#tell({ type: 'disconnected', tooLarge }),
      control: (command) => this.#tell({ type: 'control', command }),
      progress: (run) => this.#tell({ type: 'progress', run }),
    });
  }

  start(): void {
    this.#tell({ type: 'start' });
  }

  user(command: 'pause' | 'resume' | 'stop'): void {
    this.#tell({ type: 'user', command });
  }

  visibility(hidden: boolean): void {
    this.#tell({ type: 'visibility', hidden });
  }

  woke(): void {
    this.#tell({ type: 'woke' });
  }

  /** Resolves when every request under way has come to its end: after `stop`, when nothing more will be sent. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  #tell(event: VolunteerEvent): void {
    this.#queue.push(event);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const effect of this.#machine.handle(next, performance.now())) this.#perform(effect);
    }
    this.#handling = false;
    this.#setTimer();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const atMs = this.#machine.nextDeadlineMs();
    if (atMs === null) return;
    const forMs = Math.min(TIMER_MS_MAX, Math.max(1, Math.ceil(atMs - performance.now())));
    this.#timer = setTimeout(() => this.#tell({ type: 'tick' }), forMs);
  }

  #perform(effect: VolunteerEffect): void {
    switch (effect.type) {
      case 'choose-device':
        return this.#chooseDevice(effect);
      case 'connect':
        return this.#control.connect();
      case 'hello':
        return this.#ask({ kind: 'hello' }, this.#hello(effect.hello));
      case 'pull':
        return this.#ask({ kind: 'pull' }, this.#pull());
      case 'push':
        return this.#ask({ kind: 'push', lease: effect.lease.id }, this.#push(effect));
      case 'fetch-shard':
        return this.#fetchShard(effect.shard);
      case 'compute':
        return this.#step(effect.lease);
      case 'release':
        return this.#release(effect.leases);
      case 'forget':
        return this.#drop(effect.lease);
      case 'status':
        return this.#control.status(effect.status);
      case 'show':
        return this.#views.offer(effect.view);
      case 'disconnect':
        this.#transport.close();
        return this.#control.disconnect();
      default:
        effect satisfies never;
    }
  }

  #chooseDevice({ prefer, exclude }: Effect<'choose-device'>): void {
    const number = ++this.#devices;
    const tell = (event: VolunteerEvent): void => {
      if (number === this.#devices) this.#tell(event);
    };
    const onLost = (reason: string): void => tell({ type: 'device-lost', reason });
    this.#compute.chooseDevice({ prefer, exclude, onLost }).then(
      (device) => tell({ type: 'device-ready', device }),
      (error: unknown) => tell({ type: 'device-failed', reason: textOf(error) }),
    );
  }

  async #hello(hello: Hello): Promise<VolunteerEvent> {
    const welcome = await greet(this.#control, hello, this.#pass);
    if (welcome.ok) {
      this.#run = welcome.run;
      this.#transport.admit(welcome);
      this.#onWelcome?.(welcome);
    }
    return { type: 'welcome', welcome };
  }

  async #pull(): Promise<VolunteerEvent> {
    const { reply, params } = await this.#transport.pull();
    return { type: 'pulled', reply, paramsOk: this.#keep(reply.next, params) };
  }

  async #push({ lease, meta, next }: Effect<'push'>): Promise<VolunteerEvent> {
    const vector = this.#kept.get(lease.id);
    if (vector === undefined) throw new Error(`invariant violation: no gradient kept for lease ${lease.id}`);
    const { reply, params } = await this.#transport.push(lease, { ...meta, vector, next });
    return { type: 'pushed', lease: lease.id, reply, paramsOk: this.#keep(reply.next, params) };
  }

  /** One request, answered by exactly one event. */
  #ask(request: Request, answer: Promise<VolunteerEvent>): void {
    const told = answer.then(
      (event) => this.#tell(event),
      (error: unknown) => this.#tell({ type: 'request-failed', request, failure: failureOf(error) }),
    );
    this.#track(told);
  }

  /** Whether parameters came; they are kept before the machine hears of their lease. */
  #keep(next: Next, params: Vec | null): boolean {
    if (next.kind !== 'lease' || params === null) return false;
    if (this.#kept.has(next.lease.id)) this.#transport.recycle(params);
    else this.#kept.set(next.lease.id, params);
    return true;
  }

  #drop(lease: string): void {
    const vector = this.#kept.get(lease);
    this.#kept.delete(lease);
    if (vector !== undefined && lease !== this.#computing) this.#transport.recycle(vector);
  }

  #release(leases: readonly string[]): void {
    for (const lease of leases) this.#drop(lease);
    if (this.#control.release(leases)) return;
    for (const lease of leases) this.#track(this.#transport.release(lease).catch(expiresByItself));
  }

  #fetchShard(shard: number): void {
    this.#transport.shard(this.#manifest().shards[shard]!).then(
      () => this.#tell({ type: 'shard-ready', shard }),
      (error: unknown) => this.#tell({ type: 'shard-failed', shard, failure: failureOf(error) }),
    );
  }

  #step(lease: Lease): void {
    this.#computing = lease.id;
    void this.#computed(lease)
      .catch((error: unknown): VolunteerEvent => ({ type: 'compute-failed', lease: lease.id, reason: textOf(error) }))
      .then((event) => {
        if (this.#computing === lease.id) this.#computing = null;
        this.#tell(event);
      });
  }

  async #computed(lease: Lease): Promise<VolunteerEvent> {
    const run = this.#manifest();
    const theta = this.#kept.get(lease.id);
    if (theta === undefined) throw new Error(`invariant violation: no parameters kept for lease ${lease.id}`);
    const indices = [...new Set(lease.batches.map((batch) => batch.shard))];
    const shards = new Map<number, Samples>();
    for (const index of indices) shards.set(index, await this.#transport.shard(run.shards[index]!));
    // A step on the CPU holds this thread: without a turn for the requests before it, they would be sent after it.
    await nextTurn();
    const startMs = performance.now();
    const { vector, loss, samples } = await this.#compute.compute({
      run,
      lease,
      theta,
      shardOf: (i) => shards.get(i)!,
    });
    const computeMs = performance.now() - startMs;
    // The lease may be gone by now; its memory is only ever written by its own step.
    theta.set(vector);
    return { type: 'computed', lease: lease.id, loss, samples, computeMs };
  }

  #manifest(): RunManifest {
    if (this.#run === null) throw new Error('invariant violation: work before the welcome');
    return this.#run;
  }

  #track(promise: Promise<unknown>): void {
    this.#underWay.add(promise);
    void promise.finally(() => this.#underWay.delete(promise));
  }
}

type Effect<T extends VolunteerEffect['type']> = Extract<VolunteerEffect, { type: T }>;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A coordinator that cannot be told takes a lease back at its deadline. */
const expiresByItself = (): void => undefined;

/** What is not a RequestError is an answer that our code could not make sense of. */
const failureOf = (error: unknown): Failure =>
  error instanceof RequestError ? error.failure : { kind: 'unreadable', reason: textOf(error) };
