// The coordinator's shell under virtual time: the real coordinator, the table of who waits for which answer, and a plain
// admission desk. As in every shell, no decision is made here.

import { asLeaseId, asWorkerId, type WorkerId } from '../../shared/ids.ts';
import type { MethodConfig } from '../../shared/config.ts';
import type { Next, PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Hello, PushMeta, RunManifest, Welcome, WorkerStatus } from '../../shared/protocol/messages.ts';
import type { RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { PROTOCOL_VERSION, refusalText } from '../../shared/protocol/version.ts';
import { hashText } from '../../shared/rng.ts';
import { copy, type Vec } from '../../shared/vec.ts';
import type { Failure } from '../../shared/volunteer/events.ts';
import { Coordinator } from '../core/coordinator.ts';
import type { CoordinatorEvent, Effect, RequestId, RunSetup } from '../core/events.ts';
import { compare, UNCOMPARED } from '../core/defence/verdict.ts';
import type { Method } from '../core/method.ts';
import type { Sent } from '../core/sent.ts';
import { Alarm, type Clock } from './clock.ts';
import { Computing } from './computing.ts';
import type { SampleOrder } from './order.ts';
import type { Problem } from './problems/problem.ts';
import type { Bans } from './row.ts';
import type { Tally } from './tally.ts';

const HEARTBEAT_MS = 10_000;
/** How long the coordinator's own computer takes for a measurement, a trusted gradient, or a lease. */
const OWN_MS = 200;

/** `params` are a copy, the receiver's, who may give the memory back with `recycle`. */
export type Answer<R> = (reply: R, params: Vec | null) => void;

/** A worker's open connection on the control plane. */
export interface Connection {
  readonly honest: boolean;
  worker: WorkerId | null;
  readonly control: (command: 'pause' | 'resume' | 'stop') => void;
}

export interface PushArrival extends PushMeta {
  readonly lease: string;
  /** Read only: it may arrive again. */
  readonly vector: Vec;
  readonly next: boolean;
  readonly honest: boolean;
}

export interface HubOptions {
  readonly clock: Clock;
  readonly setup: RunSetup;
  readonly tally: Tally;
  readonly problem: Problem;
  readonly order: SampleOrder;
  /** Sees every event just before the coordinator does; vectors are overwritten after. */
  readonly onEvent?: ((event: CoordinatorEvent, nowMs: number) => void) | undefined;
}

export class Hub {
  readonly coordinator = new Coordinator();
  readonly #options: HubOptions;
  readonly #manifest: RunManifest;
  readonly #alarm: Alarm;
  readonly #connections = new Map<WorkerId, Connection>();
  readonly #waiting = new Map<RequestId, (reply: PullReply | PushReply, sent: Sent | null) => void>();
  /** The coordinator overwrites what it is pushed. */
  readonly #scratch: Vec;
  /** Vectors to be used again: fresh memory costs more than a copy. */
  readonly #spares: Vec[] = [];
  /** The coordinator's own. */
  readonly #computing: Computing;
  readonly #liars = new Set<WorkerId>();
  #requests = 0;
  #admitted = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#manifest = manifestOf(options.setup);
    this.#scratch = new Float32Array(options.setup.layout.dim);
    this.#computing = new Computing(options.problem, options.order);
    const tick = (): void => this.#dispatch({ type: 'tick' });
    this.#alarm = new Alarm(options.clock, () => this.coordinator.nextDeadlineMs(), tick);
    this.#dispatch({ type: 'open', setup: options.setup });
  }

  /** θ now: read only. */
  get params(): Vec {
    return this.coordinator.params(this.#run);
  }

  /** As the operator's API does it. */
  changeMethod(method: Method, config: MethodConfig): void {
    this.#dispatch({ type: 'method', run: this.#run, method, config });
  }

  summary(): RunSummary {
    return this.coordinator.summary(this.#run, this.#options.clock.nowMs);
  }

  /** Who was banned so far, and after how many pushes, those that were refused being counted too. */
  bans(): Bans {
    const rows = this.coordinator.workers(this.#run, this.#options.clock.nowMs);
    const banned = rows.filter(({ standing }) => standing.level === 'banned');
    const lying = banned.filter(({ id }) => this.#liars.has(asWorkerId(id)));
    return { lying: lying.length, honest: banned.length - lying.length, pushes: lying.map(pushed) };
  }

  admit(connection: Connection, hello: Hello): Welcome {
    const { token, name, device, holding } = hello;
    const known = token === undefined ? undefined : asWorkerId(token);
    const back = known !== undefined && this.coordinator.knows(this.#run, known);
    const refusal = this.coordinator.refusal(this.#run, known);
    if (refusal !== null && !(back && refusal === 'too-many-workers')) {
      return { ok: false, protocol: PROTOCOL_VERSION, refusal, message: refusalText(refusal) };
    }
    const worker = back ? known : asWorkerId(`w${++this.#admitted}`);
    if (!connection.honest) this.#liars.add(worker);
    connection.worker = worker;
    this.#connections.set(worker, connection);
    const held = holding && { holding: holding.map(asLeaseId) };
    this.#dispatch({ type: 'join', run: this.#run, worker, name, device, ...held });
    return { ok: true, protocol: PROTOCOL_VERSION, worker, token: worker, run: this.#manifest };
  }

  /** The connection is closed, as far as this end knows; with a goodbye, or without a word. */
  closed(connection: Connection, type: 'leave' | 'away'): void {
    const worker = this.#speaker(connection);
    if (worker === null) return;
    this.#connections.delete(worker);
    this.#dispatch({ type, run: this.#run, worker });
  }

  status(connection: Connection, { state }: WorkerStatus): void {
    const worker = this.#speaker(connection);
    if (worker !== null && this.#knows(worker)) this.#dispatch({ type: 'status', run: this.#run, worker, state });
  }

  /** Also after a goodbye: it may come over HTTP. */
  release({ worker }: Connection, leases: readonly string[]): void {
    if (worker === null || !this.#knows(worker)) return;
    this.#dispatch({ type: 'release', run: this.#run, worker, leases: leases.map(asLeaseId) });
  }

  pull(token: string, answer: Answer<PullReply>, failed: (failure: Failure) => void): void {
    const worker = asWorkerId(token);
    if (!this.#knows(worker)) return failed({ kind: 'status', status: 401 });
    if (!this.#connections.has(worker)) return failed({ kind: 'status', status: 503, retryAfterMs: 1000 });
    const request = this.#await(({ next }, sent) => answer({ next }, this.#paramsOf(next, sent)));
    this.#dispatch({ type: 'pull', run: this.#run, worker, request });
  }

  push(token: string, push: PushArrival, on: { answer: Answer<PushReply>; failed: (failure: Failure) => void }): void {
    const worker = asWorkerId(token);
    if (!this.#knows(worker)) return on.failed({ kind: 'status', status: 401 });
    const { lease, loss, samples, honest } = push;
    const wantsNext = push.next && this.#connections.has(worker);
    const request = this.#await((reply, sent) => {
      if (!('outcome' in reply)) throw new Error('invariant violation: a push was answered like a pull');
      this.#options.tally.answered(reply, samples, honest);
      on.answer(reply, this.#paramsOf(reply.next, sent));
    });
    copy(this.#scratch, push.vector);
    const ids = { run: this.#run, worker, request, lease: asLeaseId(lease) };
    this.#dispatch({ type: 'push', ...ids, vector: this.#scratch, loss, samples, wantsNext });
  }

  /** Nobody looks at this vector any more. */
  recycle(params: Vec): void {
    this.#spares.push(params);
  }

  get #run() {
    return this.#options.setup.config.id;
  }

  /** Whose connection this is; null when it is nobody's any more, since it closed or a newer one took its place. */
  #speaker(connection: Connection): WorkerId | null {
    const { worker } = connection;
    return worker !== null && this.#connections.get(worker) === connection ? worker : null;
  }

  #knows(worker: WorkerId): boolean {
    return this.coordinator.knows(this.#run, worker);
  }

  #await(answer: (reply: PullReply | PushReply, sent: Sent | null) => void): RequestId {
    const request = ++this.#requests;
    this.#waiting.set(request, answer);
    return request;
  }

  #paramsOf(next: Next, sent: Sent | null): Vec | null {
    if (next.kind !== 'lease' || sent === null) return null;
    const params = this.#spares.pop() ?? new Float32Array(sent.vector.length);
    copy(params, sent.vector);
    return params;
  }

  #dispatch(event: CoordinatorEvent): void {
    const { nowMs } = this.#options.clock;
    this.#options.onEvent?.(event, nowMs);
    for (const effect of this.coordinator.handle(event, nowMs)) this.#perform(effect);
    this.#alarm.set();
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'reply': {
        const answer = this.#waiting.get(effect.request);
        this.#waiting.delete(effect.request);
        return answer?.(effect.reply, effect.sent);
      }
      case 'control':
        for (const [worker, { control }] of this.#connections) {
          if (effect.worker === 'all' || effect.worker === worker) control(effect.kind);
        }
        return;
      case 'evaluate':
        return this.#evaluate(effect);
      case 'trust':
        return this.#trust(effect);
      case 'recompute':
        return this.#recompute(effect);
      // Who is cut off is told to stop when it asks or pushes; the row says the rest.
      case 'cut':
      case 'note':
        return;
      default:
        effect satisfies never;
    }
  }

  #evaluate({ run, version, split, theta }: EffectOf<'evaluate'>): void {
    this.#options.clock.after(OWN_MS, async () => {
      const { loss, accuracy } = await this.#options.problem.evaluate(theta, split);
      if (split === 'validation') this.#options.tally.measured(loss);
      this.#dispatch({ type: 'evaluated', run, version, split, loss, accuracy: accuracy ?? 0 });
    });
  }

  #trust({ run, version, theta }: EffectOf<'trust'>): void {
    this.#options.clock.after(OWN_MS, async () => {
      const vector = await this.#options.problem.heldOutGradient(theta);
      this.#dispatch({ type: 'trusted', run, version, vector });
    });
  }

  #recompute({ run, check, lease, params, pushed, pushedLoss }: EffectOf<'recompute'>): void {
    this.#options.clock.after(OWN_MS, async () => {
      const loss = await this.#computing.compute(lease, params);
      const result = compare(pushed, params, { work: lease.work, codec: 'f32', loss, pushedLoss });
      this.#dispatch({ type: 'recomputed', run, check, ...(result ?? UNCOMPARED) });
    });
  }
}

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

function manifestOf({ config, model, layout, dataset, shardCounts }: RunSetup): RunManifest {
  return {
    id: config.id,
    name: config.name,
    runKey: hashText(config.id),
    model,
    dataset,
    // Nothing is fetched by these addresses; the volunteer only compares them.
    shards: shardCounts.map((count, i) => ({ sha256: i.toString(16).padStart(64, '0'), bytes: 0, count })),
    parameters: layout.dim,
    layoutHash: layout.hash,
    pushCodec: config.codec.push,
    leasesPerWorker: config.leases.perWorker,
    heartbeatMs: HEARTBEAT_MS,
    pushBytesMax: 0,
  };
}

/** Not what was refused for the ban itself, nor leases that no push came for. */
function pushed({ pushes, refused }: WorkerRow): number {
  const apart = ['banned', 'expired-lease'];
  return Object.entries(refused).reduce((sum, [reason, count]) => sum + (apart.includes(reason) ? 0 : count), pushes);
}
