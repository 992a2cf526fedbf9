// What the adapters may do with the coordinator: ask it questions, hand it events, and hear what it wants of them.
// The implementation, with the one clock and the one timer, is server/host/loop.ts.

import type { AdmissionRule, MethodConfig } from '../shared/config.ts';
import type { LeaseId, RunId, WorkerId } from '../shared/ids.ts';
import type { OpenLease, PullReply, PushReply } from '../shared/protocol/lease.ts';
import type { RunManifest, Welcome } from '../shared/protocol/messages.ts';
import type { Refusal } from '../shared/protocol/version.ts';
import type {
  DashboardSnapshot,
  Health,
  MetricsPage,
  NoteKind,
  RunSummary,
  WorkerRow,
} from '../shared/protocol/snapshots.ts';
import type { Vec } from '../shared/vec.ts';
import type { CoordinatorEvent, RequestId } from './core/events.ts';
import type { EpochAccount } from './core/ledger.ts';
import type { Sent } from './core/sent.ts';
import type { Totals } from './core/sessions.ts';

/** A worker that was admitted, as its token names it. */
export interface Identity {
  readonly run: RunId;
  readonly worker: WorkerId;
  /** The latest. */
  token: string;
  /** Workers on the control plane are present while their socket is; the others while they make requests. */
  via: 'socket' | 'http';
  online: boolean;
}

/** Where a hello comes from. */
export interface Remote {
  readonly via: Identity['via'];
  /** As it is counted: see address.ts. */
  readonly address: string;
}

/** Something that an operator should be able to read later; of no run, when it is of the coordinator itself. */
export interface Note {
  readonly run: RunId | null;
  readonly kind: NoteKind;
  readonly worker: WorkerId | null;
  readonly text: string;
}

/** Why a hello was refused, or a token was not taken. */
export type Turned = Refusal | 'malformed-token' | 'forged-token' | 'expired-token' | 'other-run-token';

export type Admission =
  | { readonly welcome: Extract<Welcome, { ok: true }>; readonly identity: Identity }
  | { readonly welcome: Extract<Welcome, { ok: false }>; readonly identity: null };

/** Called exactly once, within the handling of the event that decided it: `sent` must be packed before it returns. */
export type Answer = (reply: PullReply | PushReply, sent: Sent | null) => void;

export interface Door {
  has(run: RunId): boolean;
  manifest(run: RunId): RunManifest;
  /** Of the method that the run has now. */
  method(run: RunId): MethodConfig;
  /** Who may be a worker of it: with its join code, for the operator alone. */
  admission(run: RunId): AdmissionRule;
  summaries(): RunSummary[];
  summary(run: RunId): RunSummary;
  workers(run: RunId): WorkerRow[];
  totals(run: RunId): Totals;
  metrics(run: RunId, since: number): MetricsPage;
  ledger(run: RunId): readonly EpochAccount[];
  snapshot(run: RunId, since: number): DashboardSnapshot;
  /** What works, and what does not. */
  health(): Health;
  /** θ now: read only, valid until the next event. */
  params(run: RunId): Vec;
  /** What the push of a worker's open lease must be; null when it has no such lease. */
  lease(run: RunId, worker: WorkerId, lease: LeaseId): OpenLease | null;
  /** Whether it is a lease of this worker, open or settled lately. Else a push of it is refused, whatever it says. */
  knowsLease(run: RunId, worker: WorkerId, lease: LeaseId): boolean;
  /** The bytes of a shard of any run. */
  blob(sha256: string): Uint8Array | undefined;

  /** Validates a hello, and admits the worker or says why not. */
  admit(hello: unknown, remote: Remote): Admission;
  /** What a device signs to prove its key, in its next hello. */
  challenge(): string;
  /** Of a worker of that run, or of any. */
  identity(token: string, run?: RunId): Identity | undefined;
  /** Hellos and tokens that were refused so far, by reason. */
  turned(): Readonly<Partial<Record<Turned, number>>>;
  dispatch(event: CoordinatorEvent): void;
  note(note: Note): void;
  /** Pages are shown something every so many turns: 1, and more when there is too much to do. */
  pace(): number;
  /** Dispatches an event that has an answer. Returns how to stop waiting for it. */
  ask(event: (request: RequestId) => CoordinatorEvent, answer: Answer): () => void;
}
