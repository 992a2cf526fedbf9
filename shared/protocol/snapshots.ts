// What the coordinator shows: the answers of the API and the dashboard's live updates. Immutable; nothing here is a secret.

import type { AdmissionRule } from '../config.ts';
import type { Backend } from './messages.ts';

export const RUN_STATUSES = ['running', 'paused', 'finished', 'stopped'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** `GET /api/runs/:id`. A figure not known yet is null, never 0. */
export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  /** Whether whoever comes may be a worker, or needs a join code, or a place on a list. */
  readonly admission: AdmissionRule['kind'];
  readonly method: string;
  /** The method's own hyper-parameters, by name, as this run has them. */
  readonly hyperparameters: Readonly<Record<string, number | string>>;
  readonly model: string;
  readonly dataset: string;
  readonly parameters: number;
  /** Updates applied to θ. */
  readonly version: number;
  /** Samples counted, all epochs together: each once an epoch. */
  readonly samples: number;
  readonly samplesPerEpoch: number;
  /** The epoch that work is leased from, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: { readonly train: number | null; readonly validation: number | null };
  /** Of the validation split, from 0 to 1. */
  readonly accuracy: number | null;
  /** Of the published test set, measured once, when the run has finished. */
  readonly test: { readonly loss: number; readonly accuracy: number } | null;
  /** By the schedule, now. */
  readonly learningRate: number;
  /** As configured: what the schedule scales. */
  readonly learningRatePeak: number;
  readonly weightDecay: number;
  /** Times that it went back to an earlier state. */
  readonly rollbacks: number;
  /** Connected now. */
  readonly workers: number;
  readonly updatesPerSecond: number;
  readonly samplesPerSecond: number;
}

export const WORKER_STATES = ['training', 'paused', 'waiting', 'hidden', 'asleep', 'gone'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** How far a worker is trusted. */
export interface Standing {
  /** `newcomer`: its pushes count less until there were enough. */
  readonly level: 'newcomer' | 'trusted' | 'banned';
  /** Why it was banned; null when it is not. */
  readonly banned: string | null;
  /** It proved a device key. */
  readonly keyed: boolean;
  /** Mean cosine of its pushes with the gradient on held-out samples; null while there are too few. */
  readonly cosine: number | null;
  /** Pushes that were scaled down. */
  readonly clipped: number;
  /** Leases of it computed again, and those where it had pushed something else. */
  readonly checked: number;
  readonly failed: number;
  /** Drawn, and not yet made: too many others were under way. */
  readonly owed: number;
  /** Its share of the influence lately, 1 being an equal one; null when not known. */
  readonly influence: number | null;
}

/** One row of `GET /api/runs/:id/workers`. */
export interface WorkerRow {
  readonly id: string;
  readonly name: string;
  readonly backend: Backend;
  readonly adapter: string;
  readonly fallback: boolean;
  /** Backends passed over, with the reason: a failed self-test is seen here. */
  readonly tried: readonly { readonly backend: Backend; readonly reason: string }[];
  readonly state: WorkerState;
  readonly lag: { readonly last: number | null; readonly mean: number | null; readonly max: number | null };
  readonly gap: { readonly last: number | null; readonly mean: number | null };
  readonly loss: number | null;
  readonly samplesPerSecond: number;
  /** Accepted. */
  readonly pushes: number;
  readonly samples: number;
  /** Of the pushes, those that counted for nothing: too late by the method's own rule. */
  readonly unused: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly standing: Standing;
  readonly leases: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** One point of every curve: at most one a second. */
export interface MetricPoint {
  /** Since the run began. */
  readonly timeMs: number;
  readonly version: number;
  readonly samples: number;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
  readonly accuracy: number | null;
  readonly lagMean: number | null;
  readonly gapMean: number | null;
  readonly updatesPerSecond: number;
  readonly samplesPerSecond: number;
  readonly workers: number;
}

/** `GET /api/runs/:id/metrics?since=`: the points after a cursor, and the cursor for the next call. */
export interface MetricsPage {
  readonly points: readonly MetricPoint[];
  readonly next: number;
}

export const NOTE_KINDS = [
  'run', // opened, paused, resumed, ended, resumed from a checkpoint
  'method',
  'measured',
  'joined',
  'left',
  'refused', // a hello was refused
  'banned',
  'unbanned',
  'rolled-back',
  'operator', // what the operator did, and from where
  'trouble', // something of the coordinator's own does not work
  'mended',
] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

/** `GET /api/runs/:id/events`: what happened, newest first. */
export interface NoteRow {
  readonly id: number;
  /** ISO 8601, by the coordinator's clock. */
  readonly at: string;
  readonly kind: NoteKind;
  readonly worker: string | null;
  readonly text: string;
}

/** Something of the coordinator's own that does not work now. */
export interface Problem {
  readonly kind: 'checkpoint' | 'records' | 'event-log' | 'overload';
  /** What is wrong, and what an operator can do. */
  readonly text: string;
  readonly forMs: number;
}

/** `GET /api/health`. */
export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly problems: readonly Problem[];
  readonly uptimeSeconds: number;
  /** 99th percentile of the last minute. */
  readonly eventLoopDelayMs: number;
  /** The last good one of each run; null before the first. */
  readonly checkpoints: Readonly<Record<string, { readonly version: number; readonly ageMs: number } | null>>;
}

/** What the dashboard gets, at most four times a second. */
export interface DashboardSnapshot {
  readonly run: RunSummary;
  readonly workers: readonly WorkerRow[];
  /** New since the last snapshot, with the cursor after them. */
  readonly metrics: MetricsPage;
  readonly leases: { readonly outstanding: number; readonly expired: number; readonly reissued: number };
  readonly health: Health;
  /** The latest, newest first. */
  readonly notes: readonly NoteRow[];
}

/** What went wrong, in words, for any failed API call. */
export interface ApiError {
  readonly error: string;
}
