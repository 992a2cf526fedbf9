// What a lease asks for, computed on a simulation's problem: by a volunteer's machine, or by the coordinator that checks it.

import { InnerLoop } from '../../shared/inner.ts';
import type { Lease, LocalWork } from '../../shared/protocol/lease.ts';
import { axpy, copy, type Vec } from '../../shared/vec.ts';
import type { SampleOrder } from './order.ts';
import type { Problem } from './problems/problem.ts';

export class Computing {
  readonly #problem: Problem;
  readonly #order: SampleOrder;
  readonly #flipped: () => boolean;
  /** What the inner optimizer remembers is kept from lease to lease. */
  #inner: InnerLoop | null = null;
  /** For leases of several batches. */
  #part = new Float32Array(0);

  /** `flipped`: on wrong labels. */
  constructor(problem: Problem, order: SampleOrder, flipped: () => boolean = () => false) {
    this.#problem = problem;
    this.#order = order;
    this.#flipped = flipped;
  }

  /** Overwrites the lease's parameters with what answers it; gives the loss that goes with it. */
  async compute(lease: Lease, vector: Vec): Promise<number> {
    const { work } = lease;
    return work.kind === 'local' ? this.#localSteps(work, lease, vector) : this.#meanGradient(lease, vector);
  }

  /** Δ of a step on each batch. */
  async #localSteps(work: LocalWork, { batches, epoch }: Lease, vector: Vec): Promise<number> {
    this.#inner ??= new InnerLoop(vector.length);
    const { delta, loss } = await this.#inner.run(work, vector, batches.length, async (theta, number, out) => {
      const batch = batches[number]!;
      const samples = this.#order.indices(epoch, batch);
      return { loss: await this.#problem.gradient(theta, samples, out, this.#flipped()), samples: batch.count };
    });
    copy(vector, delta);
    return loss;
  }

  /** The gradient at the lease's parameters; over several batches, their mean by samples. */
  async #meanGradient({ batches, epoch }: Lease, vector: Vec): Promise<number> {
    const [problem, order, flipped] = [this.#problem, this.#order, this.#flipped()];
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
