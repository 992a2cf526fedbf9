// What a run shows of itself: running figures, and the curves. Nothing here decides anything.

import * as z from 'zod/mini';
import type { MetricPoint, MetricsPage, RunSummary } from '../../shared/protocol/snapshots.ts';
import { figure } from './facts.ts';
import { History, historyFacts, POINT_EVERY_MS } from './history.ts';
import { resolveHyperparameters } from './hyperparameters.ts';
import { LossLimit, lossLimitFacts, type Votes } from './losslimit.ts';
import { Rate, RunningMean } from './rate.ts';
import type { Run } from './run.ts';

const EMPTY_WINDOW = { pushes: 0, loss: 0, lag: 0, gap: 0 };

/** Rates begin afresh, and so does the mean for the next point. */
export const reportFacts = z.strictObject({
  ...{ startedMs: z.number(), loss: figure, history: historyFacts },
  limit: z._default(lossLimitFacts, { limit: null, pushes: 0, crowd: 0 }),
});
export type ReportFacts = z.infer<typeof reportFacts>;

export class Report {
  #startedMs: number;
  readonly #history = new History();
  readonly #updates = new Rate();
  readonly #samples = new Rate();
  readonly #loss = new RunningMean(0.98);
  readonly #limit: LossLimit;
  /** Since the last point. */
  #window = { ...EMPTY_WINDOW };
  #lastWindow = EMPTY_WINDOW;
  #lastPointMs: number;
  #lastPointKey = '';

  /** `votes`: what a push's own loss is held against. */
  constructor(nowMs: number, votes: () => Votes) {
    this.#limit = new LossLimit(votes);
    this.#startedMs = nowMs;
    this.#lastPointMs = nowMs;
  }

  accepted(push: { lag: number; gap: number; loss: number; samples: number }, nowMs: number): void {
    this.#samples.add(push.samples, nowMs);
    const loss = this.#limit.believed(push.loss);
    this.#loss.add(loss);
    this.#window.pushes += 1;
    this.#window.loss += loss;
    this.#window.lag += push.lag;
    this.#window.gap += push.gap;
  }

  updated(nowMs: number): void {
    this.#updates.add(1, nowMs);
  }

  /** A new validation figure: the curve gets its point at once. */
  evaluated(run: Run, nowMs: number): void {
    this.#addPoint(run, nowMs, true);
  }

  /** Adds a point when one is due and something has changed. */
  point(run: Run, nowMs: number): void {
    if (nowMs - this.#lastPointMs >= POINT_EVERY_MS) this.#addPoint(run, nowMs, false);
  }

  snapshot(): ReportFacts {
    const [history, limit] = [this.#history.snapshot(), this.#limit.snapshot()];
    return { startedMs: this.#startedMs, loss: this.#loss.value, history, limit };
  }

  restore({ startedMs, loss, history, limit }: ReportFacts): void {
    this.#startedMs = startedMs;
    this.#loss.restore(loss);
    this.#history.restore(history);
    this.#limit.restore(limit);
  }

  metrics(since: number): MetricsPage {
    return this.#history.page(since);
  }

  summary(run: Run, nowMs: number): RunSummary {
    const { config, method, model, dataset, layout } = run.setup;
    const { validation, test } = run.evaluation;
    return {
      id: config.id,
      name: config.name,
      status: run.status,
      admission: config.admission.kind,
      method: method.name,
      hyperparameters: resolveHyperparameters(method.name, method.hyperparameters, config.method),
      model: model.name,
      dataset: dataset.name,
      parameters: layout.dim,
      version: run.aggregator.version,
      samples: run.ledger.counted,
      samplesPerEpoch: run.ledger.samplesPerEpoch,
      epoch: run.ledger.epoch,
      epochs: config.epochs,
      loss: { train: this.#loss.value, validation: validation?.loss ?? null },
      accuracy: validation?.accuracy ?? null,
      test,
      learningRate: run.aggregator.learningRate,
      learningRatePeak: config.method.learningRate,
      weightDecay: config.method.weightDecay,
      rollbacks: run.rollback.count,
      workers: run.sessions.presentCount,
      updatesPerSecond: this.#updates.perSecond(nowMs),
      samplesPerSecond: this.#samples.perSecond(nowMs),
    };
  }

  #addPoint(run: Run, nowMs: number, measured: boolean): void {
    const { version } = run.aggregator;
    const workers = run.sessions.presentCount;
    const key = `${version}/${workers}/${run.status}`;
    if (!measured && key === this.#lastPointKey) return;
    // A measurement may come right after a point: the means of that point still hold, and no curve breaks for it.
    const { pushes, loss, lag, gap } = measured && this.#window.pushes === 0 ? this.#lastWindow : this.#window;
    const mean = (sum: number): number | null => (pushes === 0 ? null : sum / pushes);
    const point: MetricPoint = {
      timeMs: nowMs - this.#startedMs,
      version,
      samples: run.ledger.counted,
      trainLoss: mean(loss),
      validationLoss: measured ? (run.evaluation.validation?.loss ?? null) : null,
      accuracy: measured ? (run.evaluation.validation?.accuracy ?? null) : null,
      lagMean: mean(lag),
      gapMean: mean(gap),
      updatesPerSecond: this.#updates.perSecond(nowMs),
      samplesPerSecond: this.#samples.perSecond(nowMs),
      workers,
    };
    this.#history.add(point);
    this.#lastWindow = { pushes, loss, lag, gap };
    this.#window = { ...EMPTY_WINDOW };
    this.#lastPointMs = nowMs;
    this.#lastPointKey = key;
  }
}
