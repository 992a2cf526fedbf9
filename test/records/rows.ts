// Rows for the tests of the records.

import type { MetricPoint, NoteRow, RunSummary } from '../../shared/protocol/snapshots.ts';
import type { TimedPoint, WorkerShare } from '../../server/records.ts';
import { aPoint } from '../points.ts';

export const START_MS = Date.UTC(2026, 5, 15, 12);

export const share = (worker: string, samples: number, name = worker): WorkerShare => ({
  worker,
  name,
  backend: 'wasm',
  pushes: 1,
  samples,
  refused: 0,
  bytesIn: 10 * samples,
  bytesOut: 20,
});

export const note = (id: number, atMs: number, extra: Partial<NoteRow> = {}): NoteRow => ({
  id,
  at: new Date(atMs).toISOString(),
  kind: 'joined',
  worker: null,
  text: `note ${id}`,
  ...extra,
});

export const point = (atMs: number, extra: Partial<MetricPoint> = {}): TimedPoint => ({
  atMs,
  point: aPoint({ timeMs: atMs, version: 1, samples: 64, workers: 1, ...extra }),
});

export const summary = (id: string, extra: Partial<RunSummary> = {}): RunSummary => ({
  id,
  name: 'A run',
  status: 'running',
  method: 'asgd',
  hyperparameters: {},
  model: 'softmax',
  dataset: 'digits',
  parameters: 7850,
  version: 3,
  samples: 192,
  samplesPerEpoch: 6000,
  epoch: 0,
  epochs: 10,
  loss: { train: null, validation: null },
  accuracy: null,
  test: null,
  learningRate: 0.1,
  learningRatePeak: 0.1,
  weightDecay: 0,
  rollbacks: 0,
  admission: 'open',
  workers: 1,
  updatesPerSecond: 0,
  samplesPerSecond: 0,
  ...extra,
});
