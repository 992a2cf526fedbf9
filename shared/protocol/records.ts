// What is kept of a run for longer than a coordinator lives: the answers of the API's calls about the past.

import type { Backend } from './messages.ts';
import type { MetricPoint, RunSummary } from './snapshots.ts';

/** One point of a run’s whole life: means of what was measured; `version` and `samples` are the last ones. */
export interface HistoryPoint extends MetricPoint {
  /** ISO 8601, by the coordinator's clock. */
  readonly at: string;
}

/** A worker that was ever here, with all that it did, over all its visits. */
export interface Contributor {
  readonly id: string;
  readonly name: string;
  readonly backend: Backend;
  /** ISO 8601. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Accepted. */
  readonly pushes: number;
  readonly samples: number;
  readonly refused: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A run that was ever opened here. Started anew under the same id, it is another one. */
export interface PastRun {
  /** Names it among all that had its id; later ones have larger numbers. */
  readonly number: number;
  readonly id: string;
  readonly openedAt: string;
  /** When it was last seen. */
  readonly seenAt: string;
  /** As it was then; null when it was opened and not seen again. */
  readonly summary: RunSummary | null;
  readonly contributors: number;
}
