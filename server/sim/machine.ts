// A volunteer's machine: how long a lease takes on it, and what it makes of the lease. Honest or not, for all its tabs.

import type { Lease } from '../../shared/protocol/lease.ts';
import type { Rng } from '../../shared/rng.ts';
import type { Vec } from '../../shared/vec.ts';
import { corrupt, faultOf, type Fault } from './byzantine.ts';
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
  readonly random: Rng;
}

export class Machine {
  readonly fault: Fault | null;
  readonly #options: MachineOptions;
  readonly #msPerSample: number;
  readonly #tasks: Rng;
  readonly #lies: Rng;
  /** The tabs of a machine share what its inner optimizer remembers. */
  readonly #computing: Computing;

  constructor(options: MachineOptions) {
    const { index, fleet, problem, order, random } = options;
    this.#options = options;
    this.fault = faultOf(index, fleet.byzantine);
    this.#msPerSample = MS_PER_SAMPLE * slowness(fleet.machines, index, random.fork('speed'));
    this.#tasks = random.fork('tasks');
    this.#lies = random.fork('lies');
    this.#computing = new Computing(problem, order, this.fault === 'label-flip');
  }

  get honest(): boolean {
    return this.fault === null;
  }

  /** Draws how long this lease takes this time. */
  durationMs(lease: Lease): number {
    return taskMs(this.#msPerSample * samplesOf(lease), this.#options.fleet.taskVariation, this.#tasks);
  }

  /** Overwrites the lease's parameters with what is pushed for it; gives the loss that goes with it. */
  async compute(lease: Lease, vector: Vec): Promise<number> {
    const loss = await this.#computing.compute(lease, vector);
    if (this.fault !== null) corrupt(vector, this.fault, this.#lies);
    this.#options.tally.computed(samplesOf(lease), loss, this.honest);
    return loss;
  }
}

export const samplesOf = ({ batches }: Lease): number => batches.reduce((sum, { count }) => sum + count, 0);
