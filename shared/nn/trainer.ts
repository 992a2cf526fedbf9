// What a worker does for a lease, as the algorithm reads: from θ and the lease's samples, the mean gradient, or the
// displacement of so many inner steps. It knows no transport, chooses no backend, and keeps nothing between leases but its
// buffers and what the inner optimizer remembers.

import { gatherBatch } from '../data/shard.ts';
import { sampleBytesOf, type Batch, type Samples } from '../data/spec.ts';
import { InnerLoop } from '../inner.ts';
import { gradientFault, type GradientFault } from './loss.ts';
import { Network, type NetworkOptions } from './network.ts';
import type { LocalWork, Work } from '../protocol/lease.ts';
import { axpy, type Vec } from '../vec.ts';

export interface LeasedWork {
  readonly work: Work;
  readonly batches: readonly Batch[];
  /** The parameters that the lease came with. Not changed. */
  readonly theta: Vec;
}

export interface Contribution {
  /** The trainer's own memory: valid until its next `compute`. */
  readonly vector: Vec;
  /** Mean over the samples, nats, at θ. */
  readonly loss: number;
  readonly samples: number;
}

/** The device computed something that must not be pushed. */
export class UnusableGradientError extends Error {
  override readonly name = 'UnusableGradientError';
  readonly fault: GradientFault;

  constructor(fault: GradientFault) {
    super(`${fault} gradient`);
    this.fault = fault;
  }
}

export class Trainer {
  readonly #network: Network;
  readonly #sampleBytes: number;
  readonly #gradient: Vec;
  readonly #mean: Vec;
  /** Made by the first lease of local steps. */
  #inner: InnerLoop | null = null;
  /** Grown to the largest batch seen. */
  #staged = { features: new Uint8Array(0), labels: new Uint8Array(0) };

  constructor(options: NetworkOptions) {
    this.#network = new Network(options);
    this.#sampleBytes = sampleBytesOf(options.model.input);
    this.#gradient = new Float32Array(options.layout.dim);
    this.#mean = new Float32Array(options.layout.dim);
  }

  /** What the lease asks for. Throws UnusableGradientError, or what the device throws. */
  async compute(leased: LeasedWork, shardOf: (index: number) => Samples): Promise<Contribution> {
    switch (leased.work.kind) {
      case 'gradient':
        return this.#meanGradient(leased, shardOf);
      case 'local':
        return this.#localSteps(leased.work, leased, shardOf);
      default:
        return leased.work satisfies never;
    }
  }

  /** The gradient at θ; over several batches, their mean by samples. */
  async #meanGradient({ batches, theta }: LeasedWork, shardOf: (index: number) => Samples): Promise<Contribution> {
    const samples = batches.reduce((sum, batch) => sum + batch.count, 0);
    let loss = 0;
    this.#mean.fill(0);
    for (const batch of batches) {
      const weight = batch.count / samples;
      const result = await this.#network.gradient(theta, this.#gather(shardOf(batch.shard), batch), this.#gradient);
      axpy(this.#mean, weight, this.#gradient);
      loss += weight * result.loss;
    }
    const fault = gradientFault(this.#mean, loss);
    if (fault !== null) throw new UnusableGradientError(fault);
    return { vector: this.#mean, loss, samples };
  }

  /** Δ after a step on each batch; the inner optimizer's memory is kept for the next lease. */
  async #localSteps(
    work: LocalWork,
    { batches, theta }: LeasedWork,
    shardOf: (index: number) => Samples,
  ): Promise<Contribution> {
    this.#inner ??= new InnerLoop(theta.length);
    const { delta, loss, samples } = await this.#inner.run(work, theta, batches.length, async (at, number, out) => {
      const batch = batches[number]!;
      const result = await this.#network.gradient(at, this.#gather(shardOf(batch.shard), batch), out);
      const fault = gradientFault(out, result.loss);
      if (fault !== null) throw new UnusableGradientError(fault);
      return { loss: result.loss, samples: batch.count };
    });
    const fault = gradientFault(delta, loss);
    if (fault !== null && fault !== 'all-zero') throw new UnusableGradientError(fault); // at a learning rate of 0 it is right
    return { vector: delta, loss, samples };
  }

  #gather(shard: Samples, batch: Batch): { count: number; features: Uint8Array; labels: Uint8Array } {
    if (this.#staged.labels.length < batch.count) {
      const features = new Uint8Array(batch.count * this.#sampleBytes);
      this.#staged = { features, labels: new Uint8Array(batch.count) };
    }
    gatherBatch(shard, batch, this.#staged);
    return { count: batch.count, ...this.#staged };
  }
}
