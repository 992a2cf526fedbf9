// What goes into the coordinator and what comes out. Values only: no socket, no promise, no callback.

import type { MethodConfig, RunConfig } from '../../shared/config.ts';
import type { DatasetSpec } from '../../shared/data/spec.ts';
import type { LeaseId, RunId, WorkerId } from '../../shared/ids.ts';
import type { Layout } from '../../shared/model/layout.ts';
import type { ModelSpec } from '../../shared/model/spec.ts';
import type { Device, WorkerStatus } from '../../shared/protocol/messages.ts';
import type { PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Vec } from '../../shared/vec.ts';
import type { FrameError } from '../../shared/protocol/reasons.ts';
import type { NoteKind } from '../../shared/protocol/snapshots.ts';
import type { Lease } from '../../shared/protocol/lease.ts';
import type { Method } from './method.ts';
import type { RunSnapshot } from './snapshot.ts';
import type { Sent } from './sent.ts';

/** Everything a run begins with. The data themselves stay outside: the core knows how many samples a shard has. */
export interface RunSetup {
  readonly config: RunConfig;
  readonly method: Method;
  readonly model: ModelSpec;
  readonly layout: Layout;
  readonly dataset: DatasetSpec;
  readonly shardCounts: readonly number[];
  /** Decides which leases are computed again; nobody outside may know it. By the run's seed when absent. */
  readonly secret?: string;
}

/** Names a request that awaits its answer; the shell's own, echoed in the `reply` effect. */
export type RequestId = number;

export type OperatorCommand = 'pause' | 'resume' | 'stop';
export type Split = 'validation' | 'test';

export type CoordinatorEvent =
  | {
      readonly type: 'open';
      readonly setup: RunSetup;
      /**
       * Of all the times that this run was opened, the number of this one: in its leases' ids (`l<n>` of boot 0, then
       * `l<boot>.<n>`, in base 36), so that none is taken for an earlier one. A host that hands out leases must never use a number
       * twice. One more than the snapshot's when it is not said.
       */
      readonly boot?: number;
      /** Goes on from here instead of from the beginning, with the snapshot's own configuration in `setup`. Only read. */
      readonly snapshot?: RunSnapshot;
    }
  | {
      readonly type: 'join';
      readonly run: RunId;
      readonly worker: WorkerId;
      readonly name: string;
      readonly device: Device;
      /** It proved a device key. */
      readonly keyed?: boolean;
      /** What it still has; its other leases go back. All are kept when this is not said. */
      readonly holding?: readonly LeaseId[];
    }
  /** The worker's connection is closed; it may be back in a moment, and keeps its leases until they are overdue. */
  | { readonly type: 'away'; readonly run: RunId; readonly worker: WorkerId }
  /** The worker said goodbye. */
  | { readonly type: 'leave'; readonly run: RunId; readonly worker: WorkerId }
  | { readonly type: 'ban'; readonly run: RunId; readonly worker: WorkerId; readonly reason: string }
  | { readonly type: 'unban'; readonly run: RunId; readonly worker: WorkerId }
  | { readonly type: 'status'; readonly run: RunId; readonly worker: WorkerId; readonly state: WorkerStatus['state'] }
  | { readonly type: 'pull'; readonly run: RunId; readonly worker: WorkerId; readonly request: RequestId }
  | {
      readonly type: 'push';
      readonly run: RunId;
      readonly worker: WorkerId;
      readonly request: RequestId;
      readonly lease: LeaseId;
      /** Overwritten. */
      readonly vector: Vec;
      readonly loss: number;
      readonly samples: number;
      readonly wantsNext: boolean;
    }
  /** The body of a push could not be read. Nothing changes but the count: the lease may still be answered. */
  | { readonly type: 'unreadable'; readonly run: RunId; readonly worker: WorkerId; readonly error: FrameError }
  | { readonly type: 'release'; readonly run: RunId; readonly worker: WorkerId; readonly leases: readonly LeaseId[] }
  /** Nobody waits for this request any more. */
  | { readonly type: 'cancel'; readonly run: RunId; readonly request: RequestId }
  | {
      readonly type: 'traffic';
      readonly run: RunId;
      readonly worker: WorkerId;
      readonly bytesIn: number;
      readonly bytesOut: number;
    }
  | { readonly type: 'operator'; readonly run: RunId; readonly command: OperatorCommand }
  /** Go on with this method from the same θ. Its hyper-parameters have been checked against it. */
  | { readonly type: 'method'; readonly run: RunId; readonly method: Method; readonly config: MethodConfig }
  | {
      readonly type: 'evaluated';
      readonly run: RunId;
      readonly version: number;
      readonly split: Split;
      readonly loss: number;
      readonly accuracy: number;
    }
  | { readonly type: 'evaluation-failed'; readonly run: RunId; readonly split: Split }
  /** The gradient of the loss on held-out samples at that version's θ: the answer to `trust`. Kept by the coordinator. */
  | { readonly type: 'trusted'; readonly run: RunId; readonly version: number; readonly vector: Vec | null }
  /** A lease was computed again: the answer to `recompute`. `same` is null when it could not be. */
  | {
      readonly type: 'recomputed';
      readonly run: RunId;
      readonly check: number;
      readonly same: boolean | null;
      readonly cosine: number;
      /** ‖pushed − computed‖₂/‖computed‖₂ */
      readonly distance: number;
      /** |pushed − computed|/computed, of the losses. */
      readonly lossOff: number;
    }
  /** The coordinator is about to stop: no more leases of any run. */
  | { readonly type: 'drain' }
  | { readonly type: 'tick' };

export type Effect =
  /** `sent` goes with a lease: its vector must be packed before the next event is handled. */
  | {
      readonly type: 'reply';
      readonly request: RequestId;
      readonly reply: PullReply | PushReply;
      readonly sent: Sent | null;
    }
  | {
      readonly type: 'control';
      readonly run: RunId;
      readonly worker: WorkerId | 'all';
      readonly kind: 'pause' | 'resume' | 'stop';
    }
  /** `theta` is a copy, the receiver's. */
  | {
      readonly type: 'evaluate';
      readonly run: RunId;
      readonly version: number;
      readonly split: Split;
      readonly theta: Vec;
    }
  /** Take the gradient of the loss on held-out samples. `theta` is a copy, the receiver's. */
  | { readonly type: 'trust'; readonly run: RunId; readonly version: number; readonly theta: Vec }
  /** Compute this lease again, and compare. All vectors are copies, the receiver's. */
  | {
      readonly type: 'recompute';
      readonly run: RunId;
      readonly check: number;
      readonly worker: WorkerId;
      readonly backend: Device['backend'];
      readonly lease: Lease;
      readonly params: Vec;
      readonly pushed: Vec;
      readonly pushedLoss: number;
    }
  /** The worker is banned: cut it off. */
  | { readonly type: 'cut'; readonly run: RunId; readonly worker: WorkerId }
  /** Something an operator should be able to read later. */
  | {
      readonly type: 'note';
      readonly run: RunId;
      readonly kind: NoteKind;
      readonly worker: WorkerId | null;
      readonly text: string;
    };
