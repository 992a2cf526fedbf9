// The volunteer under any sequence of events, likely or not, and under a faithful but troubled world in virtual time.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rng, type Rng } from '../../shared/rng.ts';
import type { Next } from '../../shared/protocol/lease.ts';
import type { Failure, VolunteerEffect, VolunteerEvent } from '../../shared/volunteer/events.ts';
import { device, give, NETWORK, replyOf, Rig, status, wait, welcome } from './rig.ts';
import { Watch } from './watch.ts';

const COMMANDS = ['pause', 'resume', 'stop'] as const;
const LIMITS = [1, 2, 3] as const;

/** Turns numbers into an event about the leases that there are, so that the interesting ones are common. */
class Inventor {
  private leases = 0;
  private readonly leasesPerWorker: number;

  constructor(leasesPerWorker: number) {
    this.leasesPerWorker = leasesPerWorker;
  }

  event(watch: Watch, kind: number, pick: number): VolunteerEvent {
    const known = [...watch.held, ...watch.pushing, 'never-given'];
    const lease = known[pick % known.length]!;
    const failure = [NETWORK, status(401), status(503, 50), status(400), status(404)][pick % 5]!;
    switch (kind) {
      case 0:
        return { type: 'device-ready', device: device(pick % 3 === 0 ? 'cpu' : 'wasm') };
      case 1:
        return pick % 4 === 0 ? { type: 'device-lost', reason: 'lost' } : { type: 'tick' };
      case 2:
        return { type: pick % 3 === 0 ? 'disconnected' : 'connected' };
      case 3:
        return {
          type: 'welcome',
          welcome: welcome({ layoutHash: pick % 10 === 0 ? 1 : 2, leasesPerWorker: this.leasesPerWorker }),
        };
      case 4:
      case 5:
        return { type: 'pulled', reply: { next: this.next(pick) }, paramsOk: pick % 9 !== 0 };
      case 6:
      case 7:
        return { type: 'pushed', lease, reply: replyOf(this.next(pick)), paramsOk: pick % 9 !== 0 };
      case 8:
      case 9:
        return { type: 'shard-ready', shard: pick % 3 };
      case 10:
        return { type: 'shard-failed', shard: pick % 3, failure };
      case 11:
      case 12:
        return {
          type: 'computed',
          lease: watch.step ?? lease,
          loss: pick % 7 === 0 ? NaN : 1,
          samples: 5,
          computeMs: 9,
        };
      case 13:
        return { type: 'compute-failed', lease: watch.step ?? lease, reason: 'zeros' };
      case 14:
        return { type: 'request-failed', request: { kind: 'push', lease }, failure };
      case 15:
        return { type: 'request-failed', request: { kind: pick % 2 === 0 ? 'pull' : 'hello' }, failure };
      case 16:
        return { type: 'control', command: COMMANDS[pick % 16] ?? 'resume' };
      case 17:
        return { type: 'user', command: COMMANDS[pick % 16] ?? 'resume' };
      default:
        return pick % 3 === 0 ? { type: 'woke' } : { type: 'visibility', hidden: pick % 2 === 0 };
    }
  }

  private next(pick: number): Next {
    if (pick % 100 === 99) return { kind: 'stop', reason: 'finished' };
    return pick % 4 === 0 ? wait(pick) : give(`lease-${this.leases++}`, pick % 4 === 3 ? 7 : pick % 3);
  }
}

describe('any sequence of events', () => {
  const steps = fc.array(fc.tuple(fc.nat(18), fc.nat(9_999), fc.nat(40_000)), { minLength: 20, maxLength: 250 });

  it('[V5] [V6] [V10] [V14] [V16] [V17] breaks no rule of leases, steps, pushes or endings', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(...LIMITS), (events, leasesPerWorker) => {
        const watch = new Watch(leasesPerWorker);
        const inventor = new Inventor(leasesPerWorker);
        const rig = new Rig({}, 'fuzz').joined({ leasesPerWorker, layoutHash: 2 });
        for (const effect of rig.log) watch.check({ type: 'tick' }, [effect]);
        for (const [kind, pick, ms] of events) {
          const event = inventor.event(watch, kind, pick);
          rig.nowMs += kind === 1 ? ms : ms % 100;
          watch.check(event, rig.tell(event).effects);
          const deadlineMs = rig.machine.nextDeadlineMs();
          if (deadlineMs !== null) expect(deadlineMs).toBeGreaterThan(rig.nowMs);
        }
      }),
      { seed: 20260101, numRuns: 1_000 },
    );
  });
});

/** Answers every request as a coordinator, a network and a device would; badly until the trouble is over. */
class World {
  readonly rig: Rig;
  readonly watch = new Watch(2);
  readonly settled = new Map<string, number>();
  private readonly random: Rng;
  private readonly pending: { readonly atMs: number; readonly event: VolunteerEvent }[] = [];
  private connected = false;
  private knows = true;
  private leases = 0;
  private readonly troubleUntilMs: number;

  constructor(seed: number, troubleUntilMs: number) {
    this.random = rng(`world/${seed}`);
    this.rig = new Rig({}, `volunteer/${seed}`);
    this.troubleUntilMs = troubleUntilMs;
  }

  run(untilMs: number): void {
    this.tell({ type: 'start' });
    for (;;) {
      const deadlineMs = this.rig.machine.nextDeadlineMs() ?? Infinity;
      const first = this.pending.toSorted((a, b) => a.atMs - b.atMs)[0];
      const atMs = Math.min(deadlineMs, first?.atMs ?? Infinity);
      if (atMs > untilMs) return;
      this.rig.nowMs = Math.max(this.rig.nowMs, atMs);
      if (first === undefined || first.atMs > deadlineMs) this.tell({ type: 'tick' });
      else {
        this.pending.splice(this.pending.indexOf(first), 1);
        this.tell(first.event);
      }
    }
  }

  private tell(event: VolunteerEvent): void {
    this.watch.check(event, this.rig.tell(event).effects);
    for (const effect of this.rig.effects) this.answer(effect);
    if (this.connected && this.trouble(0.03)) {
      this.connected = false;
      this.later({ type: 'disconnected' });
    }
    if (this.trouble(0.02)) this.knows = false;
    if (this.trouble(0.005)) this.later({ type: 'device-lost', reason: 'lost' });
  }

  private answer(effect: VolunteerEffect): void {
    switch (effect.type) {
      case 'choose-device':
        return this.later({ type: 'device-ready', device: device(effect.exclude.includes('wasm') ? 'cpu' : 'wasm') });
      case 'connect':
        this.connected = !this.trouble(0.5);
        return this.later({ type: this.connected ? 'connected' : 'disconnected' });
      case 'hello':
        if (this.trouble(0.3)) return this.fails({ kind: 'hello' }, NETWORK);
        this.knows = true;
        return this.later({ type: 'welcome', welcome: welcome() });
      case 'pull':
        if (!this.knows || this.trouble(0.3)) return this.fails({ kind: 'pull' }, this.failure());
        return this.later({ type: 'pulled', reply: { next: this.next() }, paramsOk: !this.trouble(0.1) });
      case 'push':
        return this.push(effect.lease.id, effect.next);
      case 'fetch-shard':
        if (!this.trouble(0.3)) return this.later({ type: 'shard-ready', shard: effect.shard });
        return this.later({ type: 'shard-failed', shard: effect.shard, failure: NETWORK });
      case 'compute': {
        const of = { lease: effect.lease.id } as const;
        if (this.trouble(0.1)) return this.later({ type: 'compute-failed', ...of, reason: 'NaN' });
        return this.later({ type: 'computed', ...of, loss: 1, samples: 5, computeMs: 20 });
      }
      default:
        return;
    }
  }

  /** The coordinator settles the push, whether or not its answer arrives. */
  private push(lease: string, next: boolean): void {
    if (!this.knows) return this.fails({ kind: 'push', lease }, status(401));
    const lost = this.trouble(0.3);
    if (!lost || this.trouble(0.5)) this.settled.set(lease, (this.settled.get(lease) ?? 0) + 1);
    if (lost) return this.fails({ kind: 'push', lease }, this.failure());
    const reply = replyOf(next ? this.next() : wait(0, 'paused'), { repeated: this.settled.get(lease)! > 1 });
    this.later({ type: 'pushed', lease, reply, paramsOk: true });
  }

  private next(): Next {
    return this.trouble(0.2) ? wait(1_000) : give(`l${this.leases++}`, this.random.below(3));
  }

  private failure(): Failure {
    return this.knows ? [NETWORK, status(503, 2_000)][this.random.below(2)]! : status(401);
  }

  private fails(request: Extract<VolunteerEvent, { type: 'request-failed' }>['request'], failure: Failure): void {
    this.later({ type: 'request-failed', request, failure });
  }

  private later(event: VolunteerEvent): void {
    this.pending.push({ atMs: this.rig.nowMs + 5 + 50 * this.random.next(), event });
  }

  private trouble(probability: number): boolean {
    return this.rig.nowMs < this.troubleUntilMs && this.random.next() < probability;
  }
}

describe('a troubled world that calms down', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    '[V3] [V10] [V12] trains again at full speed afterwards (seed %i)',
    (seed) => {
      const world = new World(seed, 300_000);
      world.run(400_000);
      const before = world.settled.size;
      world.run(500_000);
      expect(world.rig.view.phase).toBe('training');
      // a step takes 30 ms on average and the exchange is hidden behind it: some 3,000 in 100 s
      expect(world.settled.size - before).toBeGreaterThan(2_000);
      expect(world.rig.view.samples).toBeLessThanOrEqual(5 * world.settled.size);
    },
  );
});
