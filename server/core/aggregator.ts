// θ and the method that moves it: the seven axes put to work, in their order. Knows no lease, no sample order and no
// clock; the coordinator, the replay command and the methods' tests all use this one.

import * as z from 'zod/mini';
import type { MethodConfig } from '../../shared/config.ts';
import type { CodecName } from '../../shared/protocol/frame.ts';
import type { Work } from '../../shared/protocol/lease.ts';
import { learningRateAt } from '../../shared/schedule.ts';
import { axpy, inOnePass, rmsDistance, scale, sumSquares, type Vec } from '../../shared/vec.ts';
import { count } from './facts.ts';
import { resolveHyperparameters } from './hyperparameters.ts';
import type { Axes, Crowd, Guard, Method, Push, Weight } from './method.ts';
import type { PushInput, PushResult } from './pushing.ts';
import { tooLarge } from './screen.ts';
import { SentVectors, type Sent } from './sent.ts';
import { adopt, cloneState, misfit, restoreState, type State } from './state.ts';

export interface AggregatorOptions {
  readonly method: Method;
  readonly config: MethodConfig;
  /** The first parameters; owned and changed by the aggregator from now on. */
  readonly theta: Vec;
  /** Samples of one epoch: the schedule counts in epochs. */
  readonly samplesPerEpoch: number;
  readonly codec?: CodecName;
  /** None when absent: every push counts in full. */
  readonly guard?: Guard | null;
}

/** What a push counts for where there is no guard. */
const WHOLE: Weight = { clip: 1, trust: 1 };

/** What goes with the state. */
export const aggregatorFacts = z.strictObject({
  version: count,
  samples: count,
  firstSequence: count,
  departures: count,
});
export type AggregatorFacts = z.infer<typeof aggregatorFacts>;

/** All that an aggregator is, written down. */
export interface Written {
  readonly facts: AggregatorFacts;
  readonly state: State;
}

export class Aggregator {
  readonly theta: Vec;
  #axes: Axes;
  #method: Method;
  #config: MethodConfig;
  readonly #samplesPerEpoch: number;
  readonly #sent: SentVectors;
  readonly #guard: Guard | null;
  #version = 0;
  #samples = 0;
  /** Work leased before this method began: its tokens are counted from here. */
  #firstSequence = 0;
  /** Workers that have left: at one version of θ, a look-ahead with their momentum is not the one without. */
  #departures = 0;

  /** Throws when a hyper-parameter is unknown or out of bounds. */
  constructor({ method, config, theta, samplesPerEpoch, codec = 'f32', guard = null }: AggregatorOptions) {
    this.#axes = axesOf(method, config, theta.length);
    this.theta = theta;
    this.#method = method;
    this.#config = config;
    this.#samplesPerEpoch = samplesPerEpoch;
    this.#sent = new SentVectors(theta.length, codec);
    this.#guard = guard;
  }

  get axes(): Axes {
    return this.#axes;
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
    return this.#learningRateAt(this.#epochs);
  }

  /** Vectors kept because a lease points at them. */
  get sentVectors(): number {
    return this.#sent.count;
  }

  /** What this worker is sent now, one of so many `workers` (see `Crowd`). The hold on it ends with `release`. */
  pull(worker: string, workers = 1): Sent {
    const { view, outer } = this.axes;
    const moment = `${this.#version}.${this.#departures}${view.perCrowd ? `.${workers}` : ''}`;
    const key = view.perWorker ? `${moment}/${worker}` : moment;
    return this.#sent.hold(key, this.#version, (out) => {
      view.write(out, { theta: this.theta, outer, learningRate: this.learningRate, worker, workers });
    });
  }

  release(sent: Sent): void {
    this.#sent.release(sent);
  }

  /** Batches of the worker's next lease. */
  batches(worker: string, nowMs: number): number {
    const { work } = this.axes;
    if (work.kind === 'gradient') return 1;
    const warmingUp = this.#epochs < (this.#config.schedule.warmup?.epochs ?? 0);
    return work.batches({ worker, nowMs, learningRate: this.learningRate, epochs: this.#epochs, warmingUp });
  }

  /**
   * What a lease says of its work. The inner learning rate is by `epochs`, the progress of the lease's own data; `workers`:
   * see `Crowd`.
   */
  work({ epochs, seed, workers = 1 }: { epochs: number; seed: number; workers?: number }): Work {
    const { work } = this.axes;
    if (work.kind === 'gradient') return work;
    const { weightDecay } = this.#config;
    const elastic = work.elasticity && { elastic: { rate: work.elasticity(workers) } };
    return { kind: 'local', ...work.inner, ...elastic, learningRate: this.#learningRateAt(epochs), weightDecay, seed };
  }

  /** Screens one push, weighs it, corrects it, gathers it, and moves θ if that was enough. Does not release `sent`. */
  push(input: PushInput, crowd: Crowd): PushResult {
    const { worker, sent, vector, samples, nowMs, turnaroundMs = 0, batches = 1, sequence = 0 } = input;
    const lag = this.#version - sent.version;
    const gap = rmsDistance(this.theta, sent.vector);
    const { learningRate } = this;
    const push: Push = {
      worker,
      theta: this.theta,
      sent: sent.vector,
      baseVersion: sent.version,
      version: this.#version,
      lag,
      gap,
      norm: Math.sqrt(sumSquares(vector)),
      samples,
      learningRate,
      innerLearningRate: input.innerLearningRate ?? learningRate,
      learningRatePeak: this.#config.learningRate,
      nowMs,
      turnaroundMs,
      batches,
      sequence: Math.max(0, sequence - this.#firstSequence),
    };
    const { screen, correct, gather, gate, work } = this.axes;
    for (const one of screen) {
      const reason = one.check(vector, push);
      if (reason !== null) return { outcome: 'rejected', reason, lag, gap };
    }
    const { clip, trust } = this.#guard?.weigh(vector, push, work) ?? WHOLE;
    const factor = gather.compares ? clip : clip * trust;
    return inOnePass(() => {
      if (factor !== 1) scale(vector, factor);
      if (gather.immediate) this.#decay(vector);
      correct.apply(vector, push);
      if (correct.squares && tooLarge(vector)) return { outcome: 'rejected', reason: 'too-large', lag, gap };
      const reason = gather.add(vector, push, trust);
      this.#samples += samples;
      gate.observe?.(push);
      if (work.kind === 'local') work.observe?.(push);
      const outcome = this.poll(nowMs, crowd) ? 'applied' : 'buffered';
      return { outcome, ...(reason && { reason }), lag, gap };
    });
  }

  /** A push of this worker came too late to be taken in, or did not come; see `Gather`. */
  late(worker: string, at: { nowMs: number; turnaroundMs: number }): void {
    this.axes.gather.late?.(worker, at);
  }

  /** Moves θ if the gather is ready, as time or the crowd may have made it. True when it did. */
  poll(nowMs: number, crowd: Crowd): boolean {
    const { gather, outer, correct } = this.axes;
    if (!gather.ready(nowMs, crowd)) return false;
    const { learningRate } = this;
    const { update, worker, innerLearningRate = learningRate } = gather.take();
    if (!gather.immediate) this.#decay(update);
    const { weightDecay } = this.#config;
    const step = outer.apply(this.theta, update, { learningRate, innerLearningRate, weightDecay, worker, crowd });
    correct.observe?.(step);
    this.#version += 1;
    return true;
  }

  /** The worker has left for good. */
  leave(worker: string): void {
    const { correct, gate, gather, outer, work } = this.axes;
    correct.forget?.(worker);
    gate.forget?.(worker);
    gather.forget?.(worker);
    outer.forget?.(worker);
    if (work.kind === 'local') work.forget?.(worker);
    this.#departures += 1;
  }

  /**
   * Goes on with another method, or other hyper-parameters, from the same θ. What has been gathered is applied first. The
   * memory of a correction or an outer optimizer is kept where the new one remembers the same things by the same names:
   * so a momentum survives. `nextSequence` is the place of the next new work in the order of leasing. Throws, and changes
   * nothing, when the hyper-parameters do not fit.
   */
  become(method: Method, config: MethodConfig, at: { nextSequence: number; nowMs: number }): void {
    const axes = axesOf(method, config, this.theta.length);
    this.poll(at.nowMs, { outstanding: 0, closing: true });
    adopt(axes.correct.state, this.axes.correct.state);
    adopt(axes.outer.state, this.axes.outer.state);
    this.#axes = axes;
    this.#method = method;
    this.#config = config;
    this.#firstSequence = at.nextSequence;
    this.#departures += 1; // what the old view made for this version is not what the new one makes
  }

  /** Everything the method and θ are, as live state: clone it to keep it, restore into it to go back. */
  state(): State {
    const { correct, gather, gate, outer, work } = this.axes;
    return {
      theta: this.theta,
      correct: correct.state,
      gather: gather.state,
      gate: gate.state ?? {},
      outer: outer.state,
      work: work.kind === 'local' ? work.state : {},
    };
  }

  /** A copy of everything; or of θ without what the method remembers. */
  snapshot(whole = true): Written {
    const facts = {
      version: this.#version,
      samples: this.#samples,
      firstSequence: this.#firstSequence,
      departures: this.#departures,
    };
    return { facts, state: cloneState(whole ? this.state() : { theta: this.theta }) };
  }

  /** Begins there, fresh as it is. Throws, and changes nothing, when the state is another method's. */
  restore({ facts, state }: Written): void {
    this.#put(this.fitting(state), facts);
  }

  /** The state, if it is one of this method, fresh as it is; `name` for the message. Throws what is wrong with it. */
  fitting(state: State, name = 'state'): State {
    const wrong = misfit(this.state(), state, this.theta.length, name);
    if (wrong !== null) throw new Error(wrong);
    return state;
  }

  /**
   * θ and the method's memory as they were, as the next version. A state of θ alone goes on with a memory that is empty;
   * `nextSequence` is then the place of the next new work in the order of leasing.
   */
  goBackTo({ facts, state }: Written, nextSequence: number): void {
    const next = { ...facts, version: this.#version + 1, departures: this.#departures + 1 };
    if (Object.hasOwn(state, 'outer')) return this.#put(state, next);
    this.#axes = axesOf(this.#method, this.#config, this.theta.length);
    this.#put({ ...this.state(), ...state }, { ...next, firstSequence: nextSequence });
  }

  #put(state: State, facts: AggregatorFacts): void {
    restoreState(this.state(), state);
    this.#version = facts.version;
    this.#samples = facts.samples;
    this.#firstSequence = facts.firstSequence;
    this.#departures = facts.departures;
  }

  /** Epochs of samples taken in. */
  get #epochs(): number {
    return this.#samples / this.#samplesPerEpoch;
  }

  #learningRateAt(epochs: number): number {
    const { learningRate, schedule } = this.#config;
    return learningRateAt(epochs, learningRate, schedule);
  }

  /** g ← g + wd·θ, unless the outer optimizer or the worker's inner one sees to it. */
  #decay(g: Vec): void {
    const { weightDecay } = this.#config;
    const { work, outer } = this.axes;
    if (weightDecay !== 0 && work.kind === 'gradient' && !outer.decays) axpy(g, weightDecay, this.theta);
  }
}

/** A method's stages for θ of `dim` elements. Throws one sentence when a hyper-parameter is unknown or out of bounds. */
export function axesOf(method: Method, config: MethodConfig, dim: number): Axes {
  return method.axes(resolveHyperparameters(method.name, method.hyperparameters, config), dim);
}
