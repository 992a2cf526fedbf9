// Every metric's name, unit and meaning, once: for Prometheus, the dashboard and the documentation.

export interface MetricSpec {
  /** In Prometheus, with the prefix `murmuration_`. */
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly unit: string;
  readonly meaning: string;
}

export const RUN_METRICS = {
  version: { name: 'run_version', kind: 'gauge', unit: 'updates', meaning: 'Updates applied to the parameters.' },
  samples: {
    name: 'run_samples_total',
    kind: 'counter',
    unit: 'samples',
    meaning: 'Samples counted, each once an epoch.',
  },
  epoch: { name: 'run_epoch', kind: 'gauge', unit: 'epochs', meaning: 'The epoch that work is leased from, from 0.' },
  trainLoss: {
    name: 'run_train_loss',
    kind: 'gauge',
    unit: 'nats',
    meaning: 'Running mean of the loss that workers report.',
  },
  validationLoss: {
    name: 'run_validation_loss',
    kind: 'gauge',
    unit: 'nats',
    meaning: 'Measured on the held-out split.',
  },
  accuracy: {
    name: 'run_validation_accuracy',
    kind: 'gauge',
    unit: 'ratio',
    meaning: 'Measured on the held-out split.',
  },
  workers: { name: 'run_workers', kind: 'gauge', unit: 'workers', meaning: 'Connected now.' },
  lagMean: {
    name: 'run_lag_mean',
    kind: 'gauge',
    unit: 'versions',
    meaning: 'Mean lag of the pushes of workers now here.',
  },
  gapMean: { name: 'run_gap_mean', kind: 'gauge', unit: 'rms', meaning: 'Mean gap of the pushes of workers now here.' },
  pushes: { name: 'run_pushes_total', kind: 'counter', unit: 'pushes', meaning: 'Pushes accepted.' },
  refused: { name: 'run_refused_total', kind: 'counter', unit: 'pushes', meaning: 'Pushes refused, by reason.' },
  bytesIn: { name: 'run_bytes_in_total', kind: 'counter', unit: 'bytes', meaning: 'Bodies of pushes.' },
  bytesOut: {
    name: 'run_bytes_out_total',
    kind: 'counter',
    unit: 'bytes',
    meaning: 'Bodies of answers to pulls and pushes.',
  },
} as const satisfies Record<string, MetricSpec>;

export const CHECKPOINT_METRICS = {
  version: { name: 'checkpoint_version', kind: 'gauge', unit: 'updates', meaning: 'Of the last good checkpoint.' },
  age: { name: 'checkpoint_age_seconds', kind: 'gauge', unit: 'seconds', meaning: 'Of the last good checkpoint.' },
  failures: {
    name: 'checkpoint_failures_total',
    kind: 'counter',
    unit: 'writes',
    meaning: 'Checkpoints that could not be written.',
  },
  problems: {
    name: 'problems',
    kind: 'gauge',
    unit: 'problems',
    meaning: 'What of the coordinator’s own does not work now, by kind.',
  },
} as const satisfies Record<string, MetricSpec>;

export const LIMIT_METRICS = {
  connections: { name: 'connections', kind: 'gauge', unit: 'connections', meaning: 'Open now.' },
  heldBack: {
    name: 'held_back_total',
    kind: 'counter',
    unit: 'requests',
    meaning: 'Requests and connections that were over a limit, by limit.',
  },
  turnedAway: {
    name: 'turned_away_total',
    kind: 'counter',
    unit: 'requests',
    meaning: 'Hellos and tokens of workers that were refused, by reason.',
  },
} as const satisfies Record<string, MetricSpec>;
