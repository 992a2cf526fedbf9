// A volunteer's machine: how long a lease takes on it, and what it makes of the lease. Honest or not, for all its tabs.

import { InnerLoop } from '../../shared/inner.ts';
import type { Lease, LocalWork } from '../../shared/protocol/lease.ts';
import type { Rng } from '../../shared/rng.ts';
import { axpy, copy, type Vec } from '../../shared/vec.ts';
import { corrupt, faultOf, type Fault } from './byzantine.ts';
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
  #inner: InnerLoop | null = null;
  /** For leases of several batches. */
  #part = new Float32Array(0);

  constructor(options: MachineOptions) {
    const { index, fleet, random } = options;
    this.#options = options;
    this.fault = faultOf(index, fleet.byzantine);
    this.#msPerSample = MS_PER_SAMPLE * slowness(fleet.machines, index, random.fork('speed'));
    this.#tasks = random.fork('tasks');
    this.#lies = random.fork('lies');
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
    const { work } = lease;
    const local = work.kind === 'local';
    const loss = local ? await this.#localSteps(work, lease, vector) : await this.#meanGradient(lease, vector);
    if (this.fault !== null) corrupt(vector, this.fault, this.#lies);
    this.#options.tally.computed(samplesOf(lease), loss, this.honest);
    return loss;
  }

  /** Δ of a step on each batch. The tabs of a machine share what the inner optimizer remembers. */
  async #localSteps(work: LocalWork, { batches, epoch }: Lease, vector: Vec): Promise<number> {
    const { problem, order } = this.#options;
    const flipped = this.fault === 'label-flip';
    this.#inner ??= new InnerLoop(vector.length);
    const { delta, loss } = await this.#inner.run(work, vector, batches.length, async (theta, number, out) => {
      const batch = batches[number]!;
      return { loss: await problem.gradient(theta, order.indices(epoch, batch), out, flipped), samples: batch.count };
    });
    copy(vector, delta);
    return loss;
  }

  /** The gradient at the lease's parameters; over several batches, their mean by samples. */
  async #meanGradient({ batches, epoch }: Lease, vector: Vec): Promise<number> {
    const { problem, order } = this.#options;
    const flipped = this.fault === 'label-flip';
    const [only] = batches;
    if (batches.length === 1) return problem.gradient(vector, order.indices(epoch, only!), vector, flipped);
    const theta = vector.slice();
    if (this.#part.length !== vector.length) this.#part = new Float32Array(vector.length);
    const samples = batches.reduce((sum, { count }) => sum + count, 0);
    let loss = 0;
    vector.fill(0);
    for (const batch of batches) {
      const weight = batch.count / samples;
      loss += weight * (await problem.gradient(theta, order.indices(epoch, batch), this.#part, flipped));
      axpy(vector, weight, this.#part);
    }
    return loss;
  }
}

export const samplesOf = ({ batches }: Lease): number => batches.reduce((sum, { count }) => sum + count, 0);
