// A shell around the coordinator for tests: it carries events in and effects out by hand, with a clock that the test
// turns. The workers are fake: their problem is a small quadratic whose gradient is known.

import { Coordinator } from '../../server/core/coordinator.ts';
import type { CoordinatorEvent, Effect, OperatorCommand, RequestId, RunSetup } from '../../server/core/events.ts';
import type { Method } from '../../server/core/method.ts';
import type { Json, RunSnapshot } from '../../server/core/snapshot.ts';
import { NO_DEFENCES, runSchema } from '../../shared/config.ts';
import { DATASETS } from '../../shared/data/catalogue.ts';
import { asLeaseId, asRunId, asWorkerId, type RunId, type WorkerId } from '../../shared/ids.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import type { ModelSpec } from '../../shared/model/spec.ts';
import type { Lease, Next, PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Device } from '../../shared/protocol/messages.ts';

/** Six parameters. */
const MODEL: ModelSpec = {
  name: 'tiny',
  input: [1, 1, 2],
  classes: 2,
  layers: [{ kind: 'flatten' }, { kind: 'dense', units: 2 }],
};
export const LAYOUT = layoutOf(MODEL);
const TARGET = Float32Array.of(1, -2, 0.5, 3, -0.25, 0.125);
const CURVATURE = Float32Array.of(1, 0.5, 0.9, 0.3, 0.7, 0.2);

/** Σ h·(θ − target)²/2, least at 0. */
export const lossAt = (theta: ArrayLike<number>): number =>
  TARGET.reduce((sum, target, i) => sum + 0.5 * CURVATURE[i]! * (theta[i]! - target) ** 2, 0);
export const gradientAt = (theta: ArrayLike<number>): Float32Array =>
  TARGET.map((target, i) => CURVATURE[i]! * (theta[i]! - target));

export const DEVICE: Device = { backend: 'wasm', adapter: 'test', fallback: false, tried: [] };
export const RUN = asRunId('tiny');

export interface SetupOptions {
  readonly id?: string;
  readonly shards?: readonly number[];
  /** Whatever of a run's configuration is not the default here. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly hyperparameters?: Readonly<Record<string, number | string>>;
}

/** A run of three shards and 30 samples an epoch in batches of 4: eight pushes, of which one is short. */
export function tinyRun(method: Method, options: SetupOptions = {}): RunSetup {
  const { id = 'tiny', shards = [12, 10, 8], config = {}, hyperparameters = {} } = options;
  const parsed = runSchema.parse({
    id,
    name: id,
    dataset: 'digits',
    model: { name: 'softmax' },
    method: { name: method.name, learningRate: 0.1, ...hyperparameters },
    batchSize: 4,
    epochs: 2,
    defences: NO_DEFENCES,
    ...config,
  });
  return {
    config: { ...parsed, id: asRunId(parsed.id) },
    method,
    model: MODEL,
    layout: LAYOUT,
    dataset: DATASETS.digits,
    shardCounts: shards,
  };
}

/** A lease and the parameters that came with it, copied before anything else happened. */
export interface Held {
  readonly lease: Lease;
  readonly params: Float32Array;
}
export interface Answered {
  readonly reply: PullReply | PushReply;
  readonly held: Held | null;
  readonly atMs: number;
}
export interface PushOptions {
  readonly vector?: Float32Array;
  readonly samples?: number;
  readonly loss?: number;
  readonly wantsNext?: boolean;
}

export const samplesOf = (lease: Lease): number => lease.batches.reduce((sum, { count }) => sum + count, 0);

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

export class Driver {
  readonly coordinator = new Coordinator();
  nowMs = 0;
  /** Everything that went in, to be replayed. */
  readonly log: { readonly event: CoordinatorEvent; readonly nowMs: number }[] = [];
  readonly answers = new Map<RequestId, Answered>();
  readonly controls: EffectOf<'control'>[] = [];
  readonly evaluations: EffectOf<'evaluate'>[] = [];
  readonly notes: string[] = [];
  #requests = 0;

  constructor(...setups: RunSetup[]) {
    for (const setup of setups) this.send({ type: 'open', setup });
  }

  /** A run gone on with in a process of its own, whose clock shows something else. */
  static resumed(
    setup: RunSetup,
    snapshot: RunSnapshot,
    { nowMs = 0, boot }: { nowMs?: number; boot?: number } = {},
  ): Driver {
    const driver = new Driver();
    driver.nowMs = nowMs;
    driver.send({ type: 'open', setup, snapshot, ...(boot !== undefined && { boot }) });
    return driver;
  }

  /** As it is now, after a journey through JSON. */
  snapshot(run: RunId = RUN): RunSnapshot {
    const snapshot = this.coordinator.snapshot(run, this.nowMs);
    return { ...snapshot, facts: JSON.parse(JSON.stringify(snapshot.facts)) as Json };
  }

  send(event: CoordinatorEvent): Effect[] {
    const kept = event.type === 'push' ? { ...event, vector: event.vector.slice() } : event;
    this.log.push({ event: kept, nowMs: this.nowMs });
    const effects = this.coordinator.handle(event, this.nowMs);
    for (const effect of effects) this.#perform(effect);
    return effects;
  }

  /** Lets time pass, with a tick whenever the coordinator asked for one; first one that is overdue. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    if ((this.coordinator.nextDeadlineMs() ?? Infinity) <= this.nowMs) this.send({ type: 'tick' });
    for (;;) {
      const nextMs = this.coordinator.nextDeadlineMs();
      if (nextMs === null || nextMs > untilMs) break;
      if (nextMs <= this.nowMs) throw new Error(`at ${this.nowMs} ms a tick is asked for at ${nextMs} ms: a busy loop`);
      this.nowMs = nextMs;
      this.send({ type: 'tick' });
    }
    this.nowMs = untilMs;
  }

  join(...workers: string[]): void {
    for (const name of workers) {
      this.send({ type: 'join', run: RUN, worker: asWorkerId(name), name, device: DEVICE });
    }
  }

  leave(worker: string): void {
    this.send({ type: 'leave', run: RUN, worker: asWorkerId(worker) });
  }

  /** It says hello again, and what it still has. */
  back(worker: string, ...held: Held[]): void {
    const holding = held.map(({ lease }) => asLeaseId(lease.id));
    this.send({ type: 'join', run: RUN, worker: asWorkerId(worker), name: worker, device: DEVICE, holding });
  }

  away(worker: string): void {
    this.send({ type: 'away', run: RUN, worker: asWorkerId(worker) });
  }

  operate(command: OperatorCommand, run = RUN): void {
    this.send({ type: 'operator', run, command });
  }

  /** Asks for work. The request's number; its answer is in `answers` once there is one. */
  ask(worker: string, run: RunId = RUN): RequestId {
    const request = ++this.#requests;
    this.send({ type: 'pull', run, worker: asWorkerId(worker), request });
    return request;
  }

  /** Asks for work: what came at once, or null when the pull is held open. */
  pull(worker: string, run: RunId = RUN): Next | null {
    return this.answers.get(this.ask(worker, run))?.reply.next ?? null;
  }

  /** Asks for work, and must get it. */
  lease(worker: string, run: RunId = RUN): Held {
    const answer = this.answers.get(this.ask(worker, run));
    if (!answer?.held) throw new Error(`no lease for ${worker}: ${JSON.stringify(answer?.reply.next)}`);
    return answer.held;
  }

  /** Answers a lease: with the true gradient unless told otherwise. */
  push(worker: string, { lease, params }: Held, options: PushOptions = {}, run: RunId = RUN): PushReply {
    const {
      vector = gradientAt(params),
      samples = samplesOf(lease),
      loss = lossAt(params),
      wantsNext = false,
    } = options;
    const request = ++this.#requests;
    const ids = { run, worker: asWorkerId(worker), lease: asLeaseId(lease.id) };
    this.send({ type: 'push', ...ids, request, vector: vector.slice(), samples, loss, wantsNext });
    return this.answers.get(request)!.reply as PushReply;
  }

  release(worker: string, ...held: Held[]): void {
    const leases = held.map(({ lease }) => asLeaseId(lease.id));
    this.send({ type: 'release', run: RUN, worker: asWorkerId(worker), leases });
  }

  /** Answers the oldest evaluation that was asked for and not answered. */
  evaluated(figures = { loss: 1, accuracy: 0.5 }): void {
    const { run, version, split } = this.evaluations.shift()!;
    this.send({ type: 'evaluated', run, version, split, ...figures });
  }

  summary = (run: RunId = RUN) => this.coordinator.summary(run, this.nowMs);
  row = (worker: string, run: RunId = RUN) =>
    this.coordinator.workers(run, this.nowMs).find(({ id }) => id === (worker as WorkerId))!;
  theta = (run: RunId = RUN): Float32Array => this.coordinator.params(run).slice();

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'reply': {
        const { request, reply, sent } = effect;
        if (this.answers.has(request)) throw new Error(`request ${request} was answered twice`);
        const { next } = reply;
        if ((next.kind === 'lease') !== (sent !== null)) throw new Error('a lease without its vector, or the reverse');
        const held = next.kind === 'lease' ? { lease: next.lease, params: sent!.vector.slice() } : null;
        this.answers.set(request, { reply, held, atMs: this.nowMs });
        return;
      }
      case 'control':
        this.controls.push(effect);
        return;
      case 'evaluate':
        this.evaluations.push(effect);
        return;
      case 'note':
        this.notes.push(effect.text);
        return;
      case 'trust':
      case 'recompute':
      case 'cut':
        return;
      default:
        effect satisfies never;
    }
  }
}
