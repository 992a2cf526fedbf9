// A method is a choice on seven axes (DESIGN: work, gate, view, screen, correct, gather, outer). This file is the
// contract; the choices themselves are in gate.ts, view.ts, screen.ts, correct.ts, gather.ts and outer.ts, and a
// published method is one file in server/methods that names seven of them.

import type { PushRejection, UnusedReason } from '../../shared/protocol/reasons.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Hyperparameters, ValuesOf } from './hyperparameters.ts';
import type { State } from './state.ts';
import type { TraceExample } from './trace.ts';
import type { LocalSteps } from './work.ts';

/** A push, as the stages see it. All vectors have as many elements as the run has parameters. */
export interface Push {
  readonly worker: string;
  /** θ now, read only. */
  readonly theta: Vec;
  /** The vector that was sent to the worker: what the gradient was taken at. Read only. */
  readonly sent: Vec;
  readonly baseVersion: number;
  /** Updates applied so far. */
  readonly version: number;
  /** version − baseVersion */
  readonly lag: number;
  /** ‖θ − sent‖₂ / √dim */
  readonly gap: number;
  /** ‖g‖₂ of what came; not finite when an element is not. */
  readonly norm: number;
  readonly samples: number;
  /** η by the schedule now, and its peak. */
  readonly learningRate: number;
  readonly learningRatePeak: number;
  /** Of its lease's inner steps: by the progress of the lease's own data, when it was issued. */
  readonly innerLearningRate: number;
  readonly nowMs: number;
  /** Since its lease was issued. */
  readonly turnaroundMs: number;
  /** Of its lease: one for a gradient, one an inner step for a pseudo-gradient. */
  readonly batches: number;
  /** The place of its lease's work in the order of leasing, from 0; work that was issued again keeps it. */
  readonly sequence: number;
}

/** Who else is at work, for the stages that wait for others. */
export interface Crowd {
  /** Leases issued at the current version, not settled yet and not overdue: whoever never answers is not waited for. */
  readonly outstanding: number;
  /** Workers that are not gone, those included that may come back; one when absent. */
  readonly workers?: number;
  /** True when no more pushes come: what there is must do. */
  readonly closing?: boolean;
}

/**
 * Whatever a stage remembers is in `state`, which the stage changes in place and checkpoints read and write. A table by
 * worker is made with `byWorker` (state.ts).
 */
export interface Stateful {
  readonly state: State;
}

/** What a gate may decide by. */
export interface Asked {
  readonly nowMs: number;
  /** Leases on this version of θ that the worker has. */
  readonly heldThisVersion: number;
  /** Leases of this round (see rounds.ts) that the worker had settled. */
  readonly settledThisRound: number;
  /** Everyone's leases on any version, but for those that are overdue. */
  readonly inFlight: number;
}

/** May this worker have a lease now? */
export interface Gate {
  decide(asked: Asked): boolean;
  /** Whatever it remembers, as for any other stage; nothing when absent. */
  readonly state?: State;
  /** Told of every push that was taken in. */
  observe?(push: Push): void;
  /** When `decide` may become true by time alone; null when it cannot. */
  deadlineMs?(): number | null;
  /** The worker has left: drop what was remembered of it. */
  forget?(worker: string): void;
}

/** What a view may show. */
export interface Seen {
  readonly theta: Vec;
  readonly outer: Outer;
  readonly learningRate: number;
  readonly worker: string;
  /** See `Crowd`; it is one of them. */
  readonly workers: number;
}

/** Which parameters does a worker get? */
export interface View {
  /** True when two workers may get different vectors at the same version. */
  readonly perWorker: boolean;
  /** True when it depends on how many workers there are. */
  readonly perCrowd?: boolean;
  /** Overwrites `out`. */
  write(out: Vec, at: Seen): void;
}

/** Is this push fit to use? Reads only. */
export interface Screen {
  check(vector: Vec, push: Push): PushRejection | null;
}

/** What a push counts for: two factors from 0 to 1. */
export interface Weight {
  /** For being too long. */
  readonly clip: number;
  /** For who sends it. */
  readonly trust: number;
}

/** What stands between a push that is fit to use and the method: what does it count for? See defence/guard.ts. */
export interface Guard {
  /** Called once for each push that is taken in, before anything has changed it; only reads it. */
  weigh(vector: Vec, push: Push, work: Axes['work']): Weight;
  /** The method is another from now on. */
  reset(): void;
}

/** What does staleness cost it? */
export interface Correct extends Stateful {
  /** True when it can make of a norm that is let in one that is not: then it is looked at again, and the push refused. */
  readonly squares?: boolean;
  /** Overwrites g. With gather `each`, g already holds the weight decay. */
  apply(g: Vec, push: Push): void;
  /** Told the outer optimizer's step after every update. */
  observe?(step: Vec): void;
  /** The worker has left: drop what was remembered of it. */
  forget?(worker: string): void;
}

/** What a gather has come to. */
export interface Taken {
  readonly update: Vec;
  /** Whose push it is; empty when it is of several. */
  readonly worker: string;
  /** The mean of the leases it is of, by samples; absent where nobody asks. */
  readonly innerLearningRate?: number;
}

/** When do we have enough? */
export interface Gather extends Stateful {
  /** True when every push is an update by itself: then weight decay comes before the correction. */
  readonly immediate: boolean;
  /** True when whoever has pushed waits until the rest of its round have. */
  readonly together?: boolean;
  /**
   * True when pushes are held against one another. They are clipped, but not scaled down for who sends them: what is shorter
   * would be nearer to the others.
   */
  readonly compares?: boolean;
  /**
   * Takes the push in; the vector is the caller's again afterwards. `trust`: see `Weight`, for one that compares; 1 when absent. Returns
   * why the push counts for nothing by the method's own rule; null when it does not.
   */
  add(g: Vec, push: Push, trust?: number): UnusedReason | null;
  ready(nowMs: number, crowd: Crowd): boolean;
  /** When `ready` may become true by time alone; null when it cannot. */
  deadlineMs(): number | null;
  /** The aggregate, valid until the next `add`; starts the next collection. Call only when ready. */
  take(): Taken;
  /** A worker's push that nobody waited for any more, or none in all that time: it moves nothing, and says how slow it is. */
  late?(worker: string, at: { readonly nowMs: number; readonly turnaroundMs: number }): void;
  /** The worker has left: drop what was remembered of it. */
  forget?(worker: string): void;
  /** What an operator should be told, once; null when there is nothing. */
  note?(): string | null;
}

/** Where and when an aggregate is applied. */
export interface Application {
  /** η by the schedule now. */
  readonly learningRate: number;
  /** Of the leases that the update is of; η where the gather does not say. */
  readonly innerLearningRate: number;
  readonly weightDecay: number;
  /** Whose push it is; empty when it is of several. */
  readonly worker: string;
  readonly crowd: Crowd;
}

/**
 * How does an aggregate move θ? A method of local steps moves it by pseudo-gradients and rates of its own; η is then the
 * inner learning rate, and the weight decay is the worker's.
 */
export interface Outer extends Stateful {
  /** True when `apply` decays the weights itself, apart from the gradient: then nobody else does. */
  readonly decays?: boolean;
  /** Overwrites θ and may overwrite the update. Returns the step v (θ moved by −η·v), read only, valid until the next call. */
  apply(theta: Vec, update: Vec, at: Application): Vec;
  /** The momentum that θ is expected to be moved by next, for look-ahead views; null when there is none yet. */
  velocity(worker: string): Vec | null;
  /** The worker has left: drop what was remembered of it. */
  forget?(worker: string): void;
}

/** Seven choices. */
export interface Axes {
  readonly work: { readonly kind: 'gradient' } | LocalSteps;
  readonly gate: Gate;
  readonly view: View;
  readonly screen: readonly Screen[];
  readonly correct: Correct;
  readonly gather: Gather;
  readonly outer: Outer;
}

export interface Paper {
  readonly authors: string;
  readonly year: number;
  readonly title: string;
  readonly url: string;
  /** Equation or algorithm. */
  readonly where: string;
}

export interface Method<H extends Hyperparameters = Hyperparameters> {
  /** What a user types; equal to the file's name. */
  readonly name: string;
  readonly title: string;
  /** One sentence for someone choosing. */
  readonly summary: string;
  readonly paper: Paper;
  readonly hyperparameters: H;
  /** Fresh stages for θ of `dim` elements. */
  axes(values: ValuesOf<H>, dim: number): Axes;
  /** Worked by hand from the paper's equations. */
  readonly example: TraceExample;
}

/** Identity, for its types: a method's file reads as one sentence and is checked where it is written. */
export function defineMethod<const H extends Hyperparameters>(method: Method<H>): Method<H> {
  return method;
}
