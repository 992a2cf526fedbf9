// Drives the volunteer machine by events and times: every test says what happens when, and reads what was asked for.

import type { Lease, Next, PushReply, WaitReason } from '../../shared/protocol/lease.ts';
import type { Backend, Device, RunManifest, Welcome } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { modelSpec } from '../../shared/model/spec.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { hashText, rng } from '../../shared/rng.ts';
import type { VolunteerEffect, VolunteerEvent } from '../../shared/volunteer/events.ts';
import { Volunteer, type VolunteerOptions } from '../../shared/volunteer/machine.ts';
import type { VolunteerView } from '../../shared/volunteer/view.ts';

const model = modelSpec('softmax', [2, 2, 1], 3);
const layout = layoutOf(model);

export const manifest: RunManifest = {
  id: 'digits',
  name: 'Digits',
  runKey: hashText('digits'),
  model,
  dataset: {
    name: 'tiny',
    title: 'Tiny',
    sampleShape: [2, 2, 1],
    classNames: ['a', 'b', 'c'],
    mean: 0.5,
    deviation: 0.5,
    trainCount: 30,
    validationCount: 10,
    testCount: 10,
  },
  shards: ['0', '1', '2'].map((digit) => ({ sha256: digit.repeat(64), bytes: 66, count: 10 })),
  parameters: layout.dim,
  layoutHash: layout.hash,
  pushCodec: 'f32',
  leasesPerWorker: 2,
  heartbeatMs: 10_000,
  pushBytesMax: 10_000,
};

export function device(backend: Backend = 'wasm', adapter = 'CPU'): Device {
  return { backend, adapter, fallback: false, tried: [] };
}

export function welcome(changes: Partial<RunManifest> = {}, token = 'token-1'): Welcome {
  return { ok: true, protocol: PROTOCOL_VERSION, worker: 'w1', token, run: { ...manifest, ...changes } };
}

export function lease(id: string, shard = 0): Lease {
  const batch = { shard, start: 0, count: 5, offset: 0, stride: 1 };
  return { id, baseVersion: 7, epoch: 0, work: { kind: 'gradient' }, batches: [batch] };
}

export const give = (id: string, shard = 0): Next => ({ kind: 'lease', lease: lease(id, shard) });
export const wait = (retryAfterMs: number, reason: WaitReason = 'no-work'): Next => ({
  kind: 'wait',
  retryAfterMs,
  reason,
});

export function replyOf(next: Next, changes: Partial<PushReply> = {}): PushReply {
  return { outcome: 'applied', repeated: false, version: 8, lag: 1, gap: 0.25, next, ...changes };
}

type Effect<T extends VolunteerEffect['type']> = Extract<VolunteerEffect, { type: T }>;

export class Rig {
  readonly machine: Volunteer;
  nowMs = 1_000;
  /** Asked for by the last event. */
  effects: VolunteerEffect[] = [];
  /** Asked for by every event so far. */
  readonly log: VolunteerEffect[] = [];

  constructor(options: Partial<VolunteerOptions> = {}, seed = 'rig') {
    this.machine = new Volunteer({ run: 'digits', name: 'node-1', ...options }, rng(seed));
  }

  tell(event: VolunteerEvent): this {
    this.effects = this.machine.handle(event, this.nowMs);
    this.log.push(...this.effects);
    return this;
  }

  /** Lets time pass; the machine hears of it only at the end. */
  after(ms: number): this {
    this.nowMs += ms;
    return this.tell({ type: 'tick' });
  }

  /** Lets time pass, deadline by deadline: what was asked for on the way is in `log`. */
  pass(ms: number): this {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const atMs = this.machine.nextDeadlineMs();
      if (atMs === null || atMs >= untilMs) return this.after(untilMs - this.nowMs);
      this.after(atMs - this.nowMs);
    }
  }

  /** Lets time pass, deadline by deadline, until something is asked for; says how long that was. */
  toDeadline(): number {
    const sinceMs = this.nowMs;
    do {
      const atMs = this.machine.nextDeadlineMs();
      if (atMs === null) throw new Error('the machine has no deadline');
      if (atMs <= this.nowMs) throw new Error('the machine has a deadline that has passed');
      this.after(atMs - this.nowMs);
    } while (this.requests.length === 0);
    return this.nowMs - sinceMs;
  }

  /** Effects of the last event, of one type. */
  asked<T extends VolunteerEffect['type']>(type: T): Effect<T>[] {
    return this.effects.filter((effect): effect is Effect<T> => effect.type === type);
  }

  everAsked<T extends VolunteerEffect['type']>(type: T): Effect<T>[] {
    return this.log.filter((effect): effect is Effect<T> => effect.type === type);
  }

  /** Types of the last event's effects, without those that answer nothing. */
  get requests(): string[] {
    return this.effects.map(({ type }) => type).filter((type) => !['show', 'status', 'forget'].includes(type));
  }

  get view(): VolunteerView {
    return this.everAsked('show').at(-1)!.view;
  }

  /** Started, connected, welcomed: the first pull is under way. */
  joined(changes: Partial<RunManifest> = {}): this {
    this.tell({ type: 'start' }).tell({ type: 'device-ready', device: device() }).tell({ type: 'connected' });
    return this.tell({ type: 'welcome', welcome: welcome(changes) });
  }

  pulled(next: Next, paramsOk = next.kind === 'lease'): this {
    return this.tell({ type: 'pulled', reply: { next }, paramsOk });
  }

  pushed(id: string, next: Next, changes: Partial<PushReply> = {}): this {
    return this.tell({ type: 'pushed', lease: id, reply: replyOf(next, changes), paramsOk: next.kind === 'lease' });
  }

  shard(shard = 0): this {
    return this.tell({ type: 'shard-ready', shard });
  }

  computed(id: string, loss = 2): this {
    return this.tell({ type: 'computed', lease: id, loss, samples: 5, computeMs: 20 });
  }

  garbage(id: string): this {
    return this.tell({ type: 'compute-failed', lease: id, reason: 'all-zero gradient' });
  }

  pushFails(id: string, failure: Extract<VolunteerEvent, { type: 'request-failed' }>['failure']): this {
    return this.tell({ type: 'request-failed', request: { kind: 'push', lease: id }, failure });
  }

  pullFails(failure: Extract<VolunteerEvent, { type: 'request-failed' }>['failure']): this {
    return this.tell({ type: 'request-failed', request: { kind: 'pull' }, failure });
  }

  /** Joined, with lease `a` computing and a second pull under way. */
  computing(changes: Partial<RunManifest> = {}): this {
    return this.joined(changes).pulled(give('a')).shard();
  }

  /** Joined, with lease `a` on its way and `b` computing. */
  overlapping(): this {
    return this.computing().pulled(give('b')).shard().computed('a');
  }
}

export const NETWORK = { kind: 'network' } as const;
export const status = (code: number, retryAfterMs?: number) =>
  ({ kind: 'status', status: code, retryAfterMs }) as const;
