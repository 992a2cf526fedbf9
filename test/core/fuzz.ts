// Random events, drawn from one seed, against the whole coordinator; and what must be true after every one of them.

import { asLeaseId, asWorkerId } from '../../shared/ids.ts';
import { rng, type Rng } from '../../shared/rng.ts';
import type { PushReply } from '../../shared/protocol/lease.ts';
import type { Method } from '../../server/core/method.ts';
import { Driver, gradientAt, RUN, samplesOf, tinyRun, type Held } from './driver.ts';

const WORKERS = ['a', 'b', 'c', 'd'];

interface Owned {
  readonly worker: string;
  readonly held: Held;
}

/** A gradient of at most 1: no method's own divergence must look like a fault of the coordinator. */
const bounded = ({ params }: Held): Float32Array => gradientAt(params).map(Math.tanh);

export class Fuzz {
  readonly driver: Driver;
  /** What was done, in words, for the message of a failure. */
  readonly ops: string[] = [];
  readonly #random: Rng;
  readonly #leases: Owned[] = [];
  readonly #seenRequests = new Set<number>();
  readonly #counted = new Map<string, number>();
  #samples = 0;
  #version = 0;

  constructor(method: Method, seed: number, values: Readonly<Record<string, number | string>> = {}) {
    this.#random = rng(`fuzz/${method.name}/${seed}`);
    const codec = { params: seed % 2 === 0 ? 'f32' : 'f16', push: 'f32' };
    const leases = { softMinMs: 1000, perWorker: 1 + (seed % 3) };
    const config = { epochs: 2, codec, leases, evaluateEveryVersions: 3, seed };
    const rounds = 'deadlineMs' in method.hyperparameters ? { deadlineMs: 700, quorum: 0.6 } : {};
    const hyperparameters = { learningRate: 0.005, ...rounds, ...values };
    this.driver = new Driver(tinyRun(method, { config, hyperparameters }));
    this.#act('join', () => this.driver.join(...WORKERS));
  }

  /** One random event. */
  step(): void {
    const random = this.#random;
    const worker = WORKERS[random.below(WORKERS.length)]!;
    const owned = this.#leases[random.below(Math.max(1, this.#leases.length))];
    const dice = random.below(100);
    if (dice < 30) this.#act(`pull ${worker}`, () => this.driver.ask(worker));
    else if (dice < 62 && owned) this.#push(owned);
    else if (dice < 65) this.#act(`leave ${worker}`, () => this.driver.leave(worker));
    else if (dice < 68) this.#act(`away ${worker}`, () => this.driver.away(worker));
    else if (dice < 72) this.#act(`join ${worker}`, () => this.driver.join(worker));
    else if (dice < 74 && owned) {
      this.#act(`join ${owned.worker} with ${owned.held.lease.id}`, () => this.driver.back(owned.worker, owned.held));
    } else if (dice < 78 && owned) {
      this.#act(`release ${owned.held.lease.id}`, () => this.driver.release(owned.worker, owned.held));
    } else if (dice < 80) {
      this.#act(`unreadable ${worker}`, () => {
        this.driver.send({ type: 'unreadable', run: RUN, worker: asWorkerId(worker), error: 'bad-checksum' });
      });
    } else if (dice < 82) {
      this.#act(`status ${worker}`, () => {
        this.driver.send({ type: 'status', run: RUN, worker: asWorkerId(worker), state: 'hidden' });
      });
    } else if (dice < 84) {
      const request = 1 + random.below(this.#seenRequests.size + 1);
      this.#act(`cancel ${request}`, () => this.driver.send({ type: 'cancel', run: RUN, request }));
    } else if (dice < 87) {
      const command = random.below(2) === 0 ? 'pause' : 'resume';
      this.#act(command, () => this.driver.operate(command));
    } else if (dice < 90) this.#evaluation();
    else this.#time();
  }

  /** Honest work until the run is over. Throws when it does not come to an end. */
  finish(): void {
    this.#act('resume', () => this.driver.operate('resume'));
    this.#act('join', () => this.driver.join(...WORKERS));
    for (let turn = 0; this.driver.summary().status === 'running'; turn++) {
      if (turn > 5000) throw new Error('the run does not end');
      const worker = WORKERS[turn % WORKERS.length]!;
      const mine = this.#leases.filter((owned) => owned.worker === worker);
      this.#leases.splice(0, this.#leases.length, ...this.#leases.filter((owned) => owned.worker !== worker));
      for (const owned of mine) this.#act(`push ${owned.held.lease.id}`, () => this.#answer(owned, {}));
      this.#act(`pull ${worker}`, () => this.driver.ask(worker));
      this.#act('100 ms', () => this.driver.advance(100));
    }
    while (this.driver.evaluations.length > 0) this.#act('evaluated', () => this.driver.evaluated());
  }

  #push(owned: Owned): void {
    const { held, worker } = owned;
    const random = this.#random;
    const { id } = held.lease;
    const dice = random.below(12);
    const other = WORKERS[random.below(WORKERS.length)]!;
    const nan = { vector: new Float32Array(6).fill(random.below(2) === 0 ? NaN : -Infinity) };
    if (dice === 0) this.#act(`push ${id} NaN`, () => this.#answer(owned, nan));
    else if (dice === 1) this.#act(`push ${id} zeros`, () => this.#answer(owned, { vector: new Float32Array(6) }));
    else if (dice === 2) {
      const vector = new Float32Array(6).fill(3e38);
      this.#act(`push ${id} 3e38`, () => this.#answer(owned, { vector }));
    } else if (dice === 3) {
      this.#act(`push ${id} samples`, () => this.#answer(owned, { samples: samplesOf(held.lease) + 1 }));
    } else if (dice === 4) this.#act(`push ${id} as ${other}`, () => this.#answer({ held, worker: other }, {}));
    else if (dice === 5) {
      const never = { ...held, lease: { ...held.lease, id: asLeaseId('never') } };
      this.#act(`push never as ${worker}`, () => this.#answer({ held: never, worker }, {}));
    } else {
      const vector = bounded(held).map((g) => g + 0.1 * random.normal());
      const wantsNext = random.below(2) === 0;
      this.#act(`push ${id}${wantsNext ? ' +' : ''}`, () => this.#answer(owned, { vector, wantsNext }));
    }
  }

  #answer(owned: Owned, options: Parameters<Driver['push']>[2]): void {
    const { held, worker } = owned;
    const reply: PushReply = this.driver.push(worker, held, { vector: bounded(held), ...options });
    if (reply.outcome === 'rejected' || reply.repeated) return;
    const { id } = held.lease;
    const times = (this.#counted.get(id) ?? 0) + 1;
    this.#counted.set(id, times);
    if (times > 1) throw new Error(`lease ${id} counted ${times} times`);
    this.#samples += samplesOf(held.lease);
  }

  #evaluation(): void {
    const { evaluations } = this.driver;
    if (evaluations.length === 0) return;
    if (this.#random.below(3) > 0) return this.#act('evaluated', () => this.driver.evaluated());
    const { split } = evaluations.shift()!;
    this.#act('evaluation failed', () => this.driver.send({ type: 'evaluation-failed', run: RUN, split }));
  }

  #time(): void {
    const ms = [1, 50, 300, 1001, 4100, 31_000, 91_500][this.#random.below(7)]!;
    if (this.#random.below(4) > 0) return this.#act(`${ms} ms`, () => this.driver.advance(ms));
    this.#act(`${ms} ms without a tick`, () => {
      this.driver.nowMs += ms;
    });
  }

  #act(what: string, act: () => unknown): void {
    this.ops.push(what);
    act();
    for (const [request, { held }] of this.driver.answers) {
      if (this.#seenRequests.has(request)) continue;
      this.#seenRequests.add(request);
      if (held) this.#leases.push({ worker: this.#askerOf(request), held });
    }
    if (this.#leases.length > 40) this.#leases.splice(0, 20); // the oldest are long settled
    this.#check();
  }

  #askerOf(request: number): string {
    const asked = this.driver.log.find(
      ({ event }) => 'request' in event && event.type !== 'cancel' && event.request === request,
    );
    return (asked!.event as { worker: string }).worker;
  }

  /** The invariants. */
  #check(): void {
    const { driver } = this;
    const { coordinator, nowMs } = driver;
    const summary = driver.summary();
    const must = (truth: boolean, what: string): void => {
      if (!truth) throw new Error(`broken: ${what}`);
    };
    const ledger = coordinator.ledger(RUN);
    const counted = ledger.reduce((sum, account) => sum + account.counted, 0);
    must(summary.samples === counted, 'the summary counts what the ledger counts');
    must(summary.samples === this.#samples, 'the ledger counts what was answered with applied or buffered');
    for (const { leased, counted: own } of ledger) {
      must(leased >= 0 && leased + own <= summary.samplesPerEpoch, 'an epoch has no more samples than it has');
    }
    must(summary.version >= this.#version, 'the version never goes down');
    this.#version = summary.version;
    must(summary.version <= this.#counted.size, 'no update without a push');
    must(coordinator.params(RUN).every(Number.isFinite), 'θ is finite');
    const rows = coordinator.workers(RUN, nowMs);
    const { outstanding } = coordinator.view(RUN, 1e9, nowMs).leases;
    const limit = coordinator.setup(RUN).config.leases.perWorker;
    must(
      rows.every(({ leases }) => leases <= limit),
      'no worker holds more leases than it may',
    );
    must(rows.reduce((sum, { leases }) => sum + leases, 0) === outstanding, 'every lease is some worker’s');
    must(rows.reduce((sum, { samples }) => sum + samples, 0) === counted, 'every sample is some worker’s');
    const ended = summary.status === 'finished' || summary.status === 'stopped';
    must(!ended || outstanding === 0, 'an ended run has no leases');
    must(ended === (counted === 2 * summary.samplesPerEpoch), 'finished exactly when all is counted');
    must(driver.evaluations.length <= 1, 'one evaluation at a time');
    must(driver.controls.filter(({ kind }) => kind === 'stop').length === (ended ? 1 : 0), 'told to stop once');
  }
}
