// The coordinator's figures for Prometheus: read from the runs at each scrape, so that they can disagree with nothing.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { asRunId, type RunId } from '../../shared/ids.ts';
import { CHECKPOINT_METRICS, LIMIT_METRICS, RUN_METRICS, type MetricSpec } from '../../shared/metrics.ts';
import type { RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import type { Totals } from '../core/sessions.ts';
import type { Door } from '../door.ts';
import type { Guard } from '../guard.ts';

type Key = keyof typeof RUN_METRICS;
/** One label set and its value. */
type Sample = readonly [labels: Record<string, string>, value: number | null];

/** Writes of a run's checkpoints that failed since the start. */
type Failures = (run: RunId) => number;

/** What makes the page that Prometheus scrapes. */
export function prometheus(
  door: Door,
  guard: Guard,
  failures: Failures,
): () => Promise<{ contentType: string; text: string }> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'murmuration_' }); // event-loop delay, memory, CPU
  const metrics = Object.fromEntries(
    Object.entries(RUN_METRICS).map(([key, { name, kind, unit, meaning }]: [string, MetricSpec]) => {
      const labelNames = key === 'refused' ? ['run', 'reason'] : ['run'];
      const options = { name: `murmuration_${name}`, help: `${meaning} (${unit})`, labelNames, registers: [registry] };
      return [key, kind === 'counter' ? new Counter(options) : new Gauge(options)];
    }),
  ) as Record<Key, Counter | Gauge>;
  addLimits(registry, door, guard);
  addHealth(registry, door, failures);
  return async () => {
    for (const metric of Object.values(metrics)) metric.reset();
    for (const summary of door.summaries()) {
      const run = asRunId(summary.id);
      const samplesByKey = samplesOf(summary, door.workers(run), door.totals(run));
      for (const [key, samples] of Object.entries(samplesByKey) as [Key, Sample[]][]) {
        for (const [labels, value] of samples)
          if (value !== null) metrics[key].inc({ run: summary.id, ...labels }, value);
      }
    }
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
}

/** What remotes were held to. */
function addLimits(registry: Registry, door: Door, guard: Guard): void {
  const registers = [registry];
  const { connections, heldBack, turnedAway } = LIMIT_METRICS;
  new Gauge({
    ...{ name: `murmuration_${connections.name}`, help: `${connections.meaning} (${connections.unit})`, registers },
    collect() {
      this.set(guard.connections);
    },
  });
  new Counter({
    ...{ name: `murmuration_${heldBack.name}`, help: `${heldBack.meaning} (${heldBack.unit})`, registers },
    labelNames: ['limit'],
    collect() {
      this.reset();
      for (const [limit, count] of Object.entries(guard.heldBack)) this.inc({ limit }, count);
    },
  });
  new Counter({
    ...{ name: `murmuration_${turnedAway.name}`, help: `${turnedAway.meaning} (${turnedAway.unit})`, registers },
    labelNames: ['reason'],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(door.turned())) this.inc({ reason }, count);
    },
  });
}

/** What is written down, and what does not work. */
function addHealth(registry: Registry, door: Door, failures: Failures): void {
  const told = ({ name, meaning, unit }: MetricSpec) => ({
    ...{ name: `murmuration_${name}`, help: `${meaning} (${unit})`, registers: [registry] },
  });
  const saved = () => Object.entries(door.health().checkpoints);
  new Gauge({
    ...told(CHECKPOINT_METRICS.version),
    labelNames: ['run'],
    collect() {
      for (const [run, last] of saved()) if (last) this.set({ run }, last.version);
    },
  });
  new Gauge({
    ...told(CHECKPOINT_METRICS.age),
    labelNames: ['run'],
    collect() {
      for (const [run, last] of saved()) if (last) this.set({ run }, last.ageMs / 1000);
    },
  });
  new Counter({
    ...told(CHECKPOINT_METRICS.failures),
    labelNames: ['run'],
    collect() {
      this.reset();
      for (const [run] of saved()) this.inc({ run }, failures(asRunId(run)));
    },
  });
  new Gauge({
    ...told(CHECKPOINT_METRICS.problems),
    labelNames: ['kind'],
    collect() {
      this.reset();
      for (const { kind } of door.health().problems) this.inc({ kind });
    },
  });
}

function samplesOf(run: RunSummary, rows: readonly WorkerRow[], totals: Totals): Record<Key, Sample[]> {
  const one = (value: number | null): Sample[] => [[{}, value]];
  const here = rows.filter(({ state, pushes }) => state !== 'gone' && pushes > 0);
  const pushes = here.reduce((total, row) => total + row.pushes, 0);
  const weighted = (of: (row: WorkerRow) => number | null): number | null =>
    pushes === 0 ? null : here.reduce((total, row) => total + (of(row) ?? 0) * row.pushes, 0) / pushes;
  return {
    version: one(run.version),
    samples: one(run.samples),
    epoch: one(run.epoch),
    trainLoss: one(run.loss.train),
    validationLoss: one(run.loss.validation),
    accuracy: one(run.accuracy),
    workers: one(run.workers),
    lagMean: one(weighted((row) => row.lag.mean)),
    gapMean: one(weighted((row) => row.gap.mean)),
    pushes: one(totals.pushes),
    refused: Object.entries(totals.refused).map(([reason, count]) => [{ reason }, count]),
    bytesIn: one(totals.bytesIn),
    bytesOut: one(totals.bytesOut),
  };
}
