// What the coordinator shows: the answers of the API and the dashboard's live updates. Immutable; nothing here is a secret.

import type { Backend } from './messages.ts';

export const RUN_STATUSES = ['running', 'paused', 'finished', 'stopped'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** `GET /api/runs/:id`. A figure not known yet is null, never 0. */
export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
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
  /** Connected now. */
  readonly workers: number;
  readonly updatesPerSecond: number;
  readonly samplesPerSecond: number;
}

export const WORKER_STATES = ['training', 'paused', 'waiting', 'hidden', 'asleep', 'gone'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

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
  readonly refused: Readonly<Record<string, number>>;
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

/** What the dashboard gets, at most four times a second. */
export interface DashboardSnapshot {
  readonly run: RunSummary;
  readonly workers: readonly WorkerRow[];
  /** New since the last snapshot, with the cursor after them. */
  readonly metrics: MetricsPage;
  readonly leases: { readonly outstanding: number; readonly expired: number; readonly reissued: number };
}

/** What went wrong, in words, for any failed API call. */
export interface ApiError {
  readonly error: string;
}
