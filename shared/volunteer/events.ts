// What the volunteer machine hears and what it asks for. Leases are named; the vectors that belong to them stay with the
// shell, which keeps for each lease its parameters and, once computed, its gradient, until `release` or `forget`.
//
// Every request among the effects is answered by exactly one event, its success or its failure, whatever happens:
//
//   choose-device → device-ready · device-failed      pull        → pulled · request-failed
//   connect       → connected · disconnected          push        → pushed · request-failed
//   hello         → welcome · request-failed          fetch-shard → shard-ready · shard-failed
//   compute       → computed · compute-failed         release, status, show, forget, disconnect: no answer

import type { Lease, PullReply, PushReply } from '../protocol/lease.ts';
import type { Backend, Device, Hello, PushMeta, Welcome, WorkerStatus } from '../protocol/messages.ts';
import type { RunSummary } from '../protocol/snapshots.ts';
import type { VolunteerView } from './view.ts';

/** Why a request came to nothing. */
export type Failure =
  /** No answer: refused, cut off, timed out. */
  | { readonly kind: 'network' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs?: number | undefined }
  /** An answer that is not of this protocol: cut short, or not what was asked for. */
  | { readonly kind: 'unreadable'; readonly reason: string };

export type VolunteerEvent =
  | { readonly type: 'start' }
  | { readonly type: 'device-ready'; readonly device: Device }
  | { readonly type: 'device-failed'; readonly reason: string }
  /** The device is gone, and with it any step in progress: no answer to its `compute` will come. */
  | { readonly type: 'device-lost'; readonly reason: string }
  | { readonly type: 'connected' }
  /** `tooLarge`: the coordinator closed the connection because of a message that was above its limit. */
  | { readonly type: 'disconnected'; readonly tooLarge?: boolean }
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  /** `paramsOk`: the reply's lease, if there is one, came with a good frame of parameters. */
  | { readonly type: 'pulled'; readonly reply: PullReply; readonly paramsOk: boolean }
  | { readonly type: 'pushed'; readonly lease: string; readonly reply: PushReply; readonly paramsOk: boolean }
  | { readonly type: 'shard-ready'; readonly shard: number }
  | { readonly type: 'shard-failed'; readonly shard: number; readonly failure: Failure }
  | ({ readonly type: 'computed'; readonly lease: string } & PushMeta)
  /** The step gave nothing to push: not finite, all zero, or an exception. */
  | { readonly type: 'compute-failed'; readonly lease: string; readonly reason: string }
  | { readonly type: 'request-failed'; readonly request: Request; readonly failure: Failure }
  | { readonly type: 'control'; readonly command: 'pause' | 'resume' | 'stop' }
  | { readonly type: 'user'; readonly command: 'pause' | 'resume' | 'stop' }
  | { readonly type: 'visibility'; readonly hidden: boolean }
  /** The tab was frozen and is not any more, is looked at again, or is online again: it may have missed much. */
  | { readonly type: 'woke' }
  | { readonly type: 'progress'; readonly run: RunSummary }
  /** A deadline has come; nothing else happened. */
  | { readonly type: 'tick' };

export type Request =
  { readonly kind: 'hello' } | { readonly kind: 'pull' } | { readonly kind: 'push'; readonly lease: string };

export type VolunteerEffect =
  /** `prefer` is the volunteer's own choice; `exclude` has failed here before. */
  | { readonly type: 'choose-device'; readonly prefer: Backend | null; readonly exclude: readonly Backend[] }
  | { readonly type: 'connect' }
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'pull' }
  | { readonly type: 'fetch-shard'; readonly shard: number }
  | { readonly type: 'compute'; readonly lease: Lease }
  /** `next`: take another lease with the answer. Sent again for the same lease, it is the same push. */
  | { readonly type: 'push'; readonly lease: Lease; readonly meta: PushMeta; readonly next: boolean }
  /** Give these back to the coordinator and drop what is kept for them. */
  | { readonly type: 'release'; readonly leases: readonly string[] }
  /** This lease is settled: drop what is kept for it. */
  | { readonly type: 'forget'; readonly lease: string }
  | { readonly type: 'status'; readonly status: WorkerStatus }
  | { readonly type: 'show'; readonly view: VolunteerView }
  /** For good: only releases follow. */
  | { readonly type: 'disconnect' };
