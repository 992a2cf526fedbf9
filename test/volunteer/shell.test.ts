// The shell between the machine and its ports: what it keeps for a lease, what it drops, and in what order it acts.
// The ports are fakes that the test answers; the machine is the real one.

import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Answer,
  type Compute,
  type Computed,
  type Control,
  type ControlListener,
  type DeviceOptions,
  type Job,
  type Transport,
} from '../../client/worker/ports.ts';
import { Shell } from '../../client/worker/shell.ts';
import { Throttle } from '../../client/worker/throttle.ts';
import type { Samples } from '../../shared/data/spec.ts';
import type { PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Hello, PushMeta, Welcome } from '../../shared/protocol/messages.ts';
import { rng } from '../../shared/rng.ts';
import type { Lease } from '../../shared/protocol/lease.ts';
import type { VolunteerView } from '../../shared/volunteer/view.ts';
import { device, give, manifest, replyOf, wait, welcome } from './rig.ts';

type Push = PushMeta & { readonly vector: Float32Array; readonly next: boolean };

const samples: Samples = { count: 1, sampleBytes: 1, labels: new Uint8Array(1), features: new Uint8Array(1) };
const theta = (value: number): Float32Array => new Float32Array(manifest.parameters).fill(value);

/** A question that the test answers later. */
interface Open<Question, Reply> {
  readonly asked: Question;
  answer(reply: Reply): void;
  fail(error: Error): void;
}

/** Collects questions; `next` waits for the next one. */
class Desk<Question, Reply> {
  readonly #open: Open<Question, Reply>[] = [];
  #waiting: ((open: Open<Question, Reply>) => void) | null = null;
  count = 0;

  ask(asked: Question): Promise<Reply> {
    this.count++;
    return new Promise((answer, fail) => {
      const open = { asked, answer, fail };
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting) waiting(open);
      else this.#open.push(open);
    });
  }

  next(): Promise<Open<Question, Reply>> {
    const open = this.#open.shift();
    return open ? Promise.resolve(open) : new Promise((resolve) => (this.#waiting = resolve));
  }
}

class Ports {
  readonly events: string[] = [];
  readonly pulls = new Desk<null, Answer<PullReply>>();
  readonly pushes = new Desk<{ lease: Lease; push: Push }, Answer<PushReply>>();
  readonly steps = new Desk<Job, Computed>();
  readonly devices = new Desk<DeviceOptions, ReturnType<typeof device>>();
  readonly hellos = new Desk<Hello, Welcome>();
  readonly views: VolunteerView[] = [];
  readonly recycled: Float32Array[] = [];
  listener!: ControlListener;
  socketUp = true;
  readonly shell: Shell;

  constructor() {
    const compute: Compute = {
      chooseDevice: (options) => this.devices.ask(options),
      compute: (job) => {
        this.events.push(`compute ${job.lease.id}`);
        return this.steps.ask(job);
      },
    };
    const transport: Transport = {
      admit: () => undefined,
      pull: () => this.pulls.ask(null),
      push: (lease, push) => {
        this.events.push(`push ${lease.id}`);
        // like fetch, whose bytes leave only when the event loop has its turn
        setImmediate(() => this.events.push(`sent ${lease.id}`));
        return this.pushes.ask({ lease, push: { ...push, vector: push.vector.slice() } });
      },
      release: (lease) => Promise.resolve(void this.events.push(`release ${lease} by HTTP`)),
      shard: () => Promise.resolve(samples),
      recycle: (params) => void this.recycled.push(params),
      close: () => void this.events.push('close'),
    };
    const control = (listener: ControlListener): Control => {
      this.listener = listener;
      return {
        connect: () => listener.connected(),
        challenge: () => Promise.resolve('challenge'),
        hello: (hello) => this.hellos.ask(hello),
        status: () => undefined,
        release: (leases) => {
          if (this.socketUp) this.events.push(`release ${leases.join()} by socket`);
          return this.socketUp;
        },
        disconnect: () => {
          this.socketUp = false;
          this.events.push('disconnect');
          listener.disconnected(false); // socket.io does so too, before it returns
        },
      };
    };
    const onView = (view: VolunteerView): void => void this.views.push(view);
    this.shell = new Shell({ run: 'digits', name: 'n', compute, transport, control, random: rng('shell'), onView });
  }

  async join(changes: Parameters<typeof welcome>[0] = {}): Promise<this> {
    this.shell.start();
    (await this.devices.next()).answer(device());
    (await this.hellos.next()).answer(welcome(changes));
    return this;
  }
}

let ports: Ports;
afterEach(() => {
  ports.shell.user('stop');
  vi.useRealTimers();
});

describe('the shell', () => {
  it('[V6] lets a push leave before the next step takes the thread', async () => {
    ports = await new Ports().join();
    (await ports.pulls.next()).answer({ reply: { next: give('a') }, params: theta(1) });
    (await ports.pulls.next()).answer({ reply: { next: give('b') }, params: theta(2) });
    const a = await ports.steps.next();
    a.answer({ vector: theta(-1), loss: 1, samples: 5 });
    await ports.steps.next();
    expect(ports.events).toEqual(['compute a', 'push a', 'sent a', 'compute b']);
  });

  it('[V9] keeps parameters and gradient apart by lease, in memory that comes back once', async () => {
    ports = await new Ports().join();
    const [one, two] = [theta(1), theta(2)];
    (await ports.pulls.next()).answer({ reply: { next: give('a') }, params: one });
    (await ports.pulls.next()).answer({ reply: { next: give('b') }, params: two });
    const a = await ports.steps.next();
    expect(a.asked.theta[0]).toBe(1);
    const trainersOwn = theta(-1);
    a.answer({ vector: trainersOwn, loss: 1, samples: 5 });
    const b = await ports.steps.next();
    expect(b.asked.theta[0]).toBe(2);
    trainersOwn.fill(-2); // the next step writes over it
    b.answer({ vector: trainersOwn, loss: 1, samples: 5 });
    const [first, second] = [await ports.pushes.next(), await ports.pushes.next()];
    expect([first.asked.push.vector[0], second.asked.push.vector[0]]).toEqual([-1, -2]);
    expect(ports.recycled).toEqual([]);
    second.answer({ reply: replyOf(wait(60_000)), params: null });
    first.answer({ reply: replyOf(wait(60_000)), params: null });
    await vi.waitFor(() => expect(ports.recycled).toHaveLength(2));
    expect(ports.recycled[0]).toBe(two);
    expect(ports.recycled[1]).toBe(one);
  });

  it('[V10] pushes the very same gradient again', async () => {
    ports = await new Ports().join({ leasesPerWorker: 1 });
    (await ports.pulls.next()).answer({ reply: { next: give('a') }, params: theta(1) });
    (await ports.steps.next()).answer({ vector: theta(-3), loss: 1, samples: 5 });
    const first = await ports.pushes.next();
    vi.useFakeTimers();
    first.fail(new Error('not a RequestError'));
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    const second = await ports.pushes.next();
    expect(second.asked).toEqual(first.asked);
  });

  it('[V16] leaves once: releases, then disconnects, and gives a late lease back by HTTP', async () => {
    ports = await new Ports().join({ leasesPerWorker: 2 });
    (await ports.pulls.next()).answer({ reply: { next: give('a') }, params: theta(1) });
    const late = await ports.pulls.next();
    await ports.steps.next();
    ports.shell.user('stop');
    late.answer({ reply: { next: give('b') }, params: theta(2) });
    await ports.shell.settled();
    const after = ['release a by socket', 'close', 'disconnect', 'release b by HTTP'];
    expect(ports.events).toEqual(['compute a', ...after]);
    expect(ports.views.at(-1)!.phase).toBe('stopped');
  });

  it('[V19] hears nothing of a device that it has given up, and does not reuse what its step reads', async () => {
    ports = new Ports();
    ports.shell.start();
    const first = await ports.devices.next();
    first.answer(device('webgpu'));
    (await ports.hellos.next()).answer(welcome({ leasesPerWorker: 1 }));
    (await ports.pulls.next()).answer({ reply: { next: give('a') }, params: theta(1) });
    const lost = await ports.steps.next();
    first.asked.onLost('GPU device lost');
    (await ports.devices.next()).answer(device('wasm'));
    (await ports.hellos.next()).answer(welcome({ leasesPerWorker: 1 }));
    (await ports.pulls.next()).answer({ reply: { next: give('b') }, params: theta(2) });
    first.asked.onLost('again');
    lost.answer({ vector: theta(0), loss: 1, samples: 5 });
    (await ports.steps.next()).answer({ vector: theta(-2), loss: 1, samples: 5 });
    expect((await ports.pushes.next()).asked).toMatchObject({ lease: { id: 'b' }, push: { loss: 1 } });
    expect(ports.recycled).toEqual([]);
    expect(ports.devices.count).toBe(2);
  });

  it('[V21] pushes nothing when a step fails, whatever it throws', async () => {
    ports = await new Ports().join({ leasesPerWorker: 1 });
    for (const error of [new Error('all-zero gradient'), new Error('out of memory')]) {
      (await ports.pulls.next()).answer({ reply: { next: give(`l${ports.pulls.count}`) }, params: theta(1) });
      (await ports.steps.next()).fail(error);
    }
    (await ports.pulls.next()).answer({ reply: { next: give('c') }, params: theta(1) });
    (await ports.steps.next()).fail(new Error('non-finite gradient'));
    expect((await ports.devices.next()).asked.exclude).toEqual(['wasm']);
    expect(ports.pushes.count).toBe(0);
  });
});

describe('the view', () => {
  it('reaches the page at most four times a second, its last state always, a new phase at once', () => {
    vi.useFakeTimers();
    const passed: string[] = [];
    const urgent = (a: string, b: string): boolean => a[0] !== b[0];
    const throttle = new Throttle<string>((value) => passed.push(value), { everyMs: 250, urgent });
    for (let i = 0; i < 100; i++) {
      throttle.offer(`a${i}`);
      vi.advanceTimersByTime(10);
    }
    expect(passed).toEqual(['a0', 'a24', 'a49', 'a74', 'a99']);
    throttle.offer('b0');
    expect(passed.at(-1)).toBe('b0');
    throttle.offer('b1');
    vi.advanceTimersByTime(250);
    expect(passed.slice(-2)).toEqual(['b0', 'b1']);
    vi.advanceTimersByTime(10_000);
    expect(passed.at(-1)).toBe('b1');
  });
});
