// A point of a run's curves, for tests.

import type { MetricPoint } from '../shared/protocol/snapshots.ts';

export const aPoint = (fields: Partial<MetricPoint> = {}): MetricPoint => ({
  timeMs: 0,
  version: 0,
  samples: 0,
  trainLoss: null,
  validationLoss: null,
  accuracy: null,
  lagMean: null,
  gapMean: null,
  updatesPerSecond: 0,
  samplesPerSecond: 0,
  workers: 0,
  ...fields,
});
