// A run and a worker's row as the coordinator tells of them, for the pages' tests.

import type { RunSummary, Standing, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { NOTHING_DONE } from '../../shared/volunteer/view.ts';
import type { VolunteerView } from '../../client/worker/bridge.ts';

export const aRun = (fields: Partial<RunSummary> = {}): RunSummary => ({
  id: 'fashion',
  name: 'Fashion',
  status: 'running',
  admission: 'open',
  method: 'asgd',
  hyperparameters: {},
  model: 'mlp',
  dataset: 'fashion-mnist',
  parameters: 101_770,
  version: 0,
  samples: 0,
  samplesPerEpoch: 1000,
  epoch: 0,
  epochs: 10,
  loss: { train: null, validation: null },
  accuracy: null,
  test: null,
  learningRate: 0.05,
  learningRatePeak: 0.05,
  weightDecay: 0,
  rollbacks: 0,
  workers: 0,
  updatesPerSecond: 0,
  samplesPerSecond: 0,
  ...fields,
});

export const aStanding = (fields: Partial<Standing> = {}): Standing => ({
  level: 'trusted',
  banned: null,
  keyed: false,
  cosine: null,
  clipped: 0,
  checked: 0,
  failed: 0,
  owed: 0,
  influence: null,
  ...fields,
});

export const aWorker = (id: string, fields: Partial<WorkerRow> = {}): WorkerRow => ({
  id,
  name: '',
  backend: 'webgpu',
  adapter: 'a GPU',
  fallback: false,
  tried: [],
  state: 'training',
  lag: { last: null, mean: null, max: null },
  gap: { last: null, mean: null },
  loss: null,
  samplesPerSecond: 0,
  pushes: 0,
  samples: 0,
  unused: 0,
  refused: {},
  standing: aStanding(),
  leases: 0,
  bytesIn: 0,
  bytesOut: 0,
  ...fields,
});

export const aView = (fields: Partial<VolunteerView> = {}): VolunteerView => ({
  phase: 'training',
  message: null,
  device: null,
  worker: 'w1',
  ...NOTHING_DONE,
  ...fields,
});
