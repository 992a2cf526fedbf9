// H inner steps of a lease, as the algorithm reads: from θ_base, a step on each batch, to the pseudo-gradient
// Δ = θ_base − θ_local. What computes a gradient is the caller's; what the inner optimizer remembers is kept here.

import type { LocalWork } from './protocol/lease.ts';
import { rng } from './rng.ts';

type Vec = Float32Array;

/** out ← the gradient at θ of the lease's batch of this number; gives its mean loss and its samples. */
export type BatchGradient = (theta: Vec, batch: number, out: Vec) => Promise<{ loss: number; samples: number }>;

export interface LocalResult {
  /** Δ; this object's own memory, valid until the next `run`. */
  readonly delta: Vec;
  /** Mean over the samples, each at the parameters of its step. */
  readonly loss: number;
  readonly samples: number;
}

export class InnerLoop {
  readonly #x: Vec;
  readonly #gradient: Vec;
  readonly #delta: Vec;
  /** Momentum, or Adam's mean. */
  readonly #first: Vec;
  /** Adam's mean square; made when first needed. */
  #second: Vec | null = null;
  #steps = 0;
  /** What the memory above is of. */
  #optimizer = '';
  /** Whether x is the worker's own, from an elastic lease before. */
  #own = false;

  constructor(dim: number) {
    this.#x = new Float32Array(dim);
    this.#gradient = new Float32Array(dim);
    this.#delta = new Float32Array(dim);
    this.#first = new Float32Array(dim);
  }

  /** A step on each of `batches` batches. θ_base is read only. What `gradient` throws leaves the memory as it is then. */
  async run(work: LocalWork, base: Vec, batches: number, gradient: BatchGradient): Promise<LocalResult> {
    this.#remember(work);
    this.#start(work, base);
    const { mixing } = work;
    const random = rng(work.seed);
    let loss = 0;
    let samples = 0;
    for (let batch = 0; batch < batches; batch++) {
      while (mixing && random.next() < mixing.probability) {
        this.#pullTo(base, (work.learningRate / mixing.probability) * mixing.rate);
      }
      const result = await gradient(this.#x, batch, this.#gradient);
      this.#step(work);
      loss += result.loss * result.samples;
      samples += result.samples;
    }
    for (let i = 0; i < base.length; i++) this.#delta[i] = base[i]! - this.#x[i]!;
    return { delta: this.#delta, loss: loss / samples, samples };
  }

  /** Memory of another optimizer is of no use to this one. */
  #remember({ optimizer }: LocalWork): void {
    if (this.#optimizer === optimizer.name) return;
    this.#optimizer = optimizer.name;
    this.#first.fill(0);
    this.#second?.fill(0);
    if (optimizer.name === 'adamw') this.#second ??= new Float32Array(this.#x.length);
    this.#steps = 0;
  }

  #start({ elastic }: LocalWork, base: Vec): void {
    if (elastic && this.#own) this.#pullTo(base, elastic.rate);
    else this.#x.set(base);
    this.#own = elastic !== undefined;
  }

  /** x ← x − rate·(x − θ_base) */
  #pullTo(base: Vec, rate: number): void {
    for (let i = 0; i < base.length; i++) this.#x[i] = this.#x[i]! - rate * (this.#x[i]! - base[i]!);
  }

  #step(work: LocalWork): void {
    const eta = work.learningRate / (1 - (work.mixing?.probability ?? 0));
    const { optimizer, weightDecay } = work;
    const clip = clipping(this.#gradient, work.clipNorm);
    switch (optimizer.name) {
      case 'sgd':
        return this.#momentumStep(clip, { eta, momentum: 0, weightDecay });
      case 'momentum':
        return this.#momentumStep(clip, { eta, momentum: optimizer.momentum, weightDecay });
      case 'adamw':
        return this.#adamStep(clip, { eta, weightDecay, ...optimizer });
      default:
        optimizer satisfies never;
    }
  }

  /** v ← γv + (g + wd·x); x ← x − ηv */
  #momentumStep(clip: number, by: { eta: number; momentum: number; weightDecay: number }): void {
    const [x, g, v] = [this.#x, this.#gradient, this.#first];
    const { eta, momentum, weightDecay } = by;
    for (let i = 0; i < x.length; i++) {
      v[i] = momentum * v[i]! + clip * g[i]! + weightDecay * x[i]!;
      x[i] = x[i]! - eta * v[i]!;
    }
  }

  /** x ← x − η·wd·x − η·m̂/(√v̂ + ε). Loshchilov and Hutter (2019), Algorithm 2. */
  #adamStep(
    clip: number,
    by: { eta: number; weightDecay: number; beta1: number; beta2: number; epsilon: number },
  ): void {
    const [x, g, m, v] = [this.#x, this.#gradient, this.#first, this.#second!];
    const { eta, weightDecay, beta1, beta2, epsilon } = by;
    this.#steps += 1;
    const meanCorrection = 1 / (1 - beta1 ** this.#steps);
    const squareCorrection = 1 / (1 - beta2 ** this.#steps);
    const kept = 1 - eta * weightDecay;
    for (let i = 0; i < x.length; i++) {
      const gradient = clip * g[i]!;
      m[i] = beta1 * m[i]! + (1 - beta1) * gradient;
      v[i] = beta2 * v[i]! + (1 - beta2) * gradient * gradient;
      x[i] = kept * x[i]! - (eta * meanCorrection * m[i]!) / (Math.sqrt(v[i]! * squareCorrection) + epsilon);
    }
  }
}

/** What to scale a gradient by, so that its norm is `clipNorm` at most. */
function clipping(gradient: Vec, clipNorm: number | undefined): number {
  if (clipNorm === undefined) return 1;
  let sum = 0;
  for (const x of gradient) sum += x * x;
  return Math.min(1, clipNorm / Math.sqrt(sum));
}
