// A volunteer's machine: how long a lease takes on it, and what it makes of the lease. Honest or not, for all its tabs.

import type { Lease } from '../../shared/protocol/lease.ts';
import type { Rng } from '../../shared/rng.ts';
import type { Vec } from '../../shared/vec.ts';
import { FALSE_LOSS, faultOf, Liar, type Fault, type FaultyWorkers, type Grapevine } from './byzantine.ts';
import type { Clock } from './clock.ts';
import { Computing } from './computing.ts';
import { MS_PER_SAMPLE, slowness, taskMs, type Fleet } from './fleet.ts';
import type { SampleOrder } from './order.ts';
import type { Problem } from './problems/problem.ts';
import type { Tally } from './tally.ts';

export interface MachineOptions {
  readonly index: number;
  readonly fleet: Fleet;
  readonly problem: Problem;
  readonly order: SampleOrder;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly grapevine: Grapevine;
  readonly random: Rng;
}

export class Machine {
  readonly #faulty: FaultyWorkers | null;
  readonly #options: MachineOptions;
  readonly #msPerSample: number;
  readonly #tasks: Rng;
  readonly #liar: Liar;
  /** The tabs of a machine share what its inner optimizer remembers. */
  readonly #computing: Computing;

  constructor(options: MachineOptions) {
    const { index, fleet, problem, order, random, grapevine } = options;
    this.#options = options;
    this.#faulty = faultOf(index, fleet.byzantine);
    const { speed = 1 } = this.#faulty ?? {};
    this.#msPerSample = (MS_PER_SAMPLE * slowness(fleet.machines, index, random.fork('speed'))) / speed;
    this.#tasks = random.fork('tasks');
    this.#liar = new Liar(random.fork('lies'), grapevine);
    this.#computing = new Computing(problem, order, () => this.fault === 'label-flip');
  }

  /** What is wrong with it now; null while nothing is. */
  get fault(): Fault | null {
    if (this.#faulty === null || this.#options.clock.nowMs < (this.#faulty.fromMs ?? 0)) return null;
    return this.#faulty.fault;
  }

  /** Never wrong. */
  get honest(): boolean {
    return this.#faulty === null;
  }

  /** Draws how long this lease takes this time. */
  durationMs(lease: Lease): number {
    return taskMs(this.#msPerSample * samplesOf(lease), this.#options.fleet.taskVariation, this.#tasks);
  }

  /** Overwrites the lease's parameters with what is pushed for it; gives the loss that goes with it. */
  async compute(lease: Lease, vector: Vec): Promise<number> {
    const loss = await this.#computing.compute(lease, vector);
    const { fault } = this;
    if (fault !== null) this.#liar.corrupt(vector, fault);
    else if (this.honest && this.#options.fleet.byzantine.length > 0) this.#options.grapevine.heard(vector);
    this.#options.tally.computed(samplesOf(lease), loss, this.honest);
    return fault === 'false-loss' ? FALSE_LOSS : loss;
  }
}

export const samplesOf = ({ batches }: Lease): number => batches.reduce((sum, { count }) => sum + count, 0);
