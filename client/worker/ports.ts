// What the worker's shell needs of its surroundings: something that computes, the data plane, the control plane. The
// tab, the headless client and the tests each bring their own.

import type { Samples, ShardRef } from '../../shared/data/spec.ts';
import type { Lease, PullReply, PushReply } from '../../shared/protocol/lease.ts';
import type { Backend, Device, Hello, PushMeta, RunManifest, Welcome } from '../../shared/protocol/messages.ts';
import type { WorkerStatus } from '../../shared/protocol/messages.ts';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import type { Vec } from '../../shared/vec.ts';
import type { Failure } from '../../shared/volunteer/events.ts';

/** Computes on one device at a time. */
export interface Compute {
  /** Lets go of the device before, if any. Rejects with a sentence for a person when none will do. */
  chooseDevice(options: DeviceOptions): Promise<Device>;
  /** What the lease asks for, on the chosen device. Rejects when the step gives nothing to push. */
  compute(job: Job): Promise<Computed>;
}

export interface DeviceOptions {
  readonly prefer: Backend | null;
  readonly exclude: readonly Backend[];
  /** Told at most once, after which nothing from this device is of use. */
  readonly onLost: (reason: string) => void;
}

export interface Job {
  readonly run: RunManifest;
  readonly lease: Lease;
  /** Not changed. */
  readonly theta: Vec;
  readonly shardOf: (index: number) => Samples;
}

export interface Computed {
  /** Valid until the next `compute`. */
  readonly vector: Vec;
  readonly loss: number;
  readonly samples: number;
}

/** A request on the data plane that came to nothing. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly failure: Failure;

  constructor(failure: Failure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** An answer, with the parameters of the lease in it: null when there is no lease, or their frame is not good. */
export interface Answer<Reply> {
  readonly reply: Reply;
  readonly params: Vec | null;
}

/** The data plane. Every method rejects with RequestError, after a time of its own at the latest. */
export interface Transport {
  /** Who is asking, from here on. */
  admit(welcome: Extract<Welcome, { ok: true }>): void;
  pull(): Promise<Answer<PullReply>>;
  /** `vector` is read before this returns its promise. */
  push(
    lease: Lease,
    contribution: PushMeta & { readonly vector: Vec; readonly next: boolean },
  ): Promise<Answer<PushReply>>;
  release(lease: string): Promise<void>;
  /** Bytes that have been checked against their address. */
  shard(ref: ShardRef): Promise<Samples>;
  /** A vector that came as `params` and is not needed any more: its memory is used again. */
  recycle(params: Vec): void;
  /** Cuts off what is waiting for new work; pushes and releases run to their end. */
  close(): void;
}

export interface ControlListener {
  connected(): void;
  /** `tooLarge`: because of a message that was above the coordinator's limit. */
  disconnected(tooLarge: boolean): void;
  control(command: 'pause' | 'resume' | 'stop'): void;
  progress(run: RunSummary): void;
}

/** The control plane. */
export interface Control {
  /** Leads to `connected` or `disconnected`. */
  connect(): void;
  /** What the next hello's proof signs. Rejects when there is no answer in time. */
  challenge(): Promise<string>;
  /** Rejects when there is no answer in time. */
  hello(hello: Hello): Promise<Welcome>;
  status(status: WorkerStatus): void;
  /** False when there is no connection to say it on. */
  release(leases: readonly string[]): boolean;
  /** For good; what was said before it is still sent. */
  disconnect(): void;
}
