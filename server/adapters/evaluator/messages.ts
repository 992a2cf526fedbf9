// What is said between the evaluator and its thread. Vectors and samples travel with the messages; none is kept.

import type { Samples } from '../../../shared/data/spec.ts';
import type { Layout } from '../../../shared/model/layout.ts';
import type { ModelSpec } from '../../../shared/model/spec.ts';
import type { CodecName } from '../../../shared/protocol/frame.ts';
import type { Lease } from '../../../shared/protocol/lease.ts';
import type { Vec } from '../../../shared/vec.ts';
import type { Comparison } from '../../core/defence/verdict.ts';
import type { Split } from '../../core/events.ts';

/** All that the thread needs to know of a run, sent to it once. */
export interface EvaluatorSubject {
  readonly run: string;
  readonly model: ModelSpec;
  readonly layout: Layout;
  readonly scale: { readonly mean: number; readonly deviation: number };
  readonly splits: Readonly<Record<Split, Samples>>;
}

export interface Figures {
  readonly loss: number;
  readonly accuracy: number;
}

/** A lease that was answered, to be computed again. */
export interface Check {
  readonly lease: Lease;
  readonly params: Vec;
  readonly pushed: Vec;
  readonly pushedLoss: number;
  readonly codec: CodecName;
  /** Bytes of the shards that the lease names, by their index. */
  readonly shards: ReadonlyMap<number, Uint8Array>;
}

/** The questions, by name: what is asked, and what is answered. */
export interface Questions {
  readonly evaluate: { readonly asked: { readonly split: Split; readonly theta: Vec }; readonly answer: Figures };
  /** The gradient of the loss on held-out samples. */
  readonly trust: { readonly asked: { readonly theta: Vec }; readonly answer: Vec };
  /** Null when what was computed is nothing to compare with. */
  readonly recompute: { readonly asked: Check; readonly answer: Comparison | null };
}
export type QuestionName = keyof Questions;

export type Question = {
  [K in QuestionName]: { readonly type: K; readonly id: number; readonly run: string } & Questions[K]['asked'];
}[QuestionName];

export type ToEvaluator = { readonly type: 'subject'; readonly subject: EvaluatorSubject } | Question;
export type FromEvaluator =
  | { readonly id: number; readonly ok: true; readonly answer: Questions[QuestionName]['answer'] }
  | { readonly id: number; readonly ok: false; readonly error: string };
