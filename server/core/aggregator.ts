// θ and the method that moves it: the seven axes put to work, in their order. Knows no lease, no sample order and no
// clock; the coordinator, the replay command and the methods' tests all use this one.

import type { MethodConfig } from '../../shared/config.ts';
import type { CodecName } from '../../shared/protocol/frame.ts';
import type { PushRejection } from '../../shared/protocol/reasons.ts';
import { learningRateAt } from '../../shared/schedule.ts';
import { axpy, inOnePass, rmsDistance, type Vec } from '../../shared/vec.ts';
import { resolveHyperparameters } from './hyperparameters.ts';
import type { Axes, Crowd, Method, Push } from './method.ts';
import { SentVectors, type Sent } from './sent.ts';
import type { State } from './state.ts';

export interface AggregatorOptions {
  readonly method: Method;
  readonly config: MethodConfig;
  /** The first parameters; owned and changed by the aggregator from now on. */
  readonly theta: Vec;
  /** Samples of one epoch: the schedule counts in epochs. */
  readonly samplesPerEpoch: number;
  readonly codec?: CodecName;
}

export interface PushInput {
  readonly worker: string;
  readonly sent: Sent;
  /** The gradient; overwritten. */
  readonly vector: Vec;
  readonly samples: number;
  readonly nowMs: number;
  /** Since the lease was issued. */
  readonly turnaroundMs?: number;
  /** The place of its batch in the order of leasing; one that was issued again keeps it. */
  readonly sequence?: number;
}

export type PushResult = { readonly lag: number; readonly gap: number } & (
  { readonly outcome: 'applied' | 'buffered' } | { readonly outcome: 'rejected'; readonly reason: PushRejection }
);

export class Aggregator {
  readonly theta: Vec;
  readonly axes: Axes;
  readonly #config: MethodConfig;
  readonly #samplesPerEpoch: number;
  readonly #sent: SentVectors;
  #version = 0;
  #samples = 0;
  /** Workers that have left: at one version of θ, a look-ahead with their momentum is not the one without. */
  #departures = 0;

  /** Throws when a hyper-parameter is unknown or out of bounds. */
  constructor({ method, config, theta, samplesPerEpoch, codec = 'f32' }: AggregatorOptions) {
    const values = resolveHyperparameters(method.name, method.hyperparameters, config);
    this.axes = method.axes(values, theta.length);
    this.theta = theta;
    this.#config = config;
    this.#samplesPerEpoch = samplesPerEpoch;
    this.#sent = new SentVectors(theta.length, codec);
  }

  /** Updates applied to θ. */
  get version(): number {
    return this.#version;
  }

  /** Samples of the pushes taken in. */
  get samples(): number {
    return this.#samples;
  }

  get learningRate(): number {
    const { learningRate, schedule } = this.#config;
    return learningRateAt(this.#samples / this.#samplesPerEpoch, learningRate, schedule);
  }

  /** Vectors kept because a lease points at them. */
  get sentVectors(): number {
    return this.#sent.count;
  }

  /** What this worker is sent now. The hold on it ends with `release`. */
  pull(worker: string): Sent {
    const { view, outer } = this.axes;
    const moment = `${this.#version}.${this.#departures}`;
    const key = view.perWorker ? `${moment}/${worker}` : moment;
    return this.#sent.hold(key, this.#version, (out) => {
      view.write(out, { theta: this.theta, outer, learningRate: this.learningRate, worker });
    });
  }

  release(sent: Sent): void {
    this.#sent.release(sent);
  }

  /** Screens one push, corrects it, gathers it, and moves θ if that was enough. Does not release `sent`. */
  push(input: PushInput, crowd: Crowd): PushResult {
    const { worker, sent, vector, samples, nowMs, turnaroundMs = 0, sequence = 0 } = input;
    const lag = this.#version - sent.version;
    const gap = rmsDistance(this.theta, sent.vector);
    const push: Push = {
      worker,
      theta: this.theta,
      sent: sent.vector,
      baseVersion: sent.version,
      version: this.#version,
      lag,
      gap,
      samples,
      learningRate: this.learningRate,
      learningRatePeak: this.#config.learningRate,
      nowMs,
      turnaroundMs,
      sequence,
    };
    const { screen, correct, gather } = this.axes;
    for (const one of screen) {
      const reason = one.check(vector, push);
      if (reason !== null) return { outcome: 'rejected', reason, lag, gap };
    }
    const moved = inOnePass(() => {
      if (gather.immediate) this.#decay(vector);
      correct.apply(vector, push);
      gather.add(vector, push);
      this.#samples += samples;
      return this.poll(nowMs, crowd);
    });
    return { outcome: moved ? 'applied' : 'buffered', lag, gap };
  }

  /** Moves θ if the gather is ready, as time or the crowd may have made it. True when it did. */
  poll(nowMs: number, crowd: Crowd): boolean {
    const { gather, outer, correct } = this.axes;
    if (!gather.ready(nowMs, crowd)) return false;
    const { update, worker } = gather.take();
    if (!gather.immediate) this.#decay(update);
    const { weightDecay } = this.#config;
    const step = outer.apply(this.theta, update, { learningRate: this.learningRate, weightDecay, worker });
    correct.observe?.(step);
    this.#version += 1;
    return true;
  }

  /** The worker has left for good. */
  leave(worker: string): void {
    const { correct, outer } = this.axes;
    correct.forget?.(worker);
    outer.forget?.(worker);
    this.#departures += 1;
  }

  /** Everything the method and θ are, as live state: clone it to keep it, restore into it to go back. */
  state(): State {
    const { correct, gather, outer } = this.axes;
    return { theta: this.theta, correct: correct.state, gather: gather.state, outer: outer.state };
  }

  /** With `state()` restored: the counters that go with it. Holds of vectors sent before are void. */
  resumeAt(counters: { readonly version: number; readonly samples: number }): void {
    this.#version = counters.version;
    this.#samples = counters.samples;
  }

  /** g ← g + wd·θ, unless the outer optimizer sees to it. */
  #decay(g: Vec): void {
    const { weightDecay } = this.#config;
    if (weightDecay !== 0 && !this.axes.outer.decays) axpy(g, weightDecay, this.theta);
  }
}
