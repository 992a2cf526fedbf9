// What the volunteer has done so far, as its page shows it.

import type { PushReply } from '../protocol/lease.ts';
import type { PushMeta } from '../protocol/messages.ts';
import type { RunSummary } from '../protocol/snapshots.ts';
import { NOTHING_DONE, type WorkFigures } from './view.ts';

export class Progress {
  private figures = NOTHING_DONE;

  /** Another object whenever a figure has changed. */
  get now(): WorkFigures {
    return this.figures;
  }

  computed({ loss, computeMs }: PushMeta): void {
    this.figures = { ...this.figures, steps: this.figures.steps + 1, stepMs: computeMs, loss };
  }

  /** One settled push: call it once a lease. */
  pushed({ outcome, lag, gap }: PushReply, samples: number): void {
    const { figures } = this;
    if (outcome === 'rejected') this.figures = { ...figures, rejected: figures.rejected + 1 };
    else this.figures = { ...figures, samples: figures.samples + samples, lag, gap };
  }

  run(run: RunSummary): void {
    this.figures = { ...this.figures, run };
  }
}
