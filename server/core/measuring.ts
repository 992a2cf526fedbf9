// θ is measured, and what follows from it: a point of the curves, and the way back when training has gone wrong.

import { rolledBackText } from '../../shared/protocol/rolled-back.ts';
import type { NoteKind } from '../../shared/protocol/snapshots.ts';
import type { Split } from './events.ts';
import { ROLLBACKS_MAX } from './rollback.ts';
import type { RunState } from './runstate.ts';

export interface MeasuringOptions {
  readonly run: RunState;
  readonly note: (kind: NoteKind, text: string) => void;
  /** The run goes no further by itself. */
  readonly halt: (because: string) => void;
}

export class Measuring {
  readonly #options: MeasuringOptions;

  constructor(options: MeasuringOptions) {
    this.#options = options;
  }

  /** The split to measure now, if any; the caller then has it measured. */
  next(ended: boolean): Split | null {
    const { run } = this.#options;
    const split = run.evaluation.next(run.aggregator.version, ended);
    if (split === 'validation') run.rollback.measuring(() => run.copy());
    return split;
  }

  failed(split: Split): void {
    const { run, note } = this.#options;
    run.evaluation.failed();
    run.rollback.failed();
    note('trouble', `the ${split} evaluation failed`);
  }

  /** A loss of the validation split: back to the last good state when it is too high. An ended run goes back with θ alone. */
  judge(loss: number, ended: boolean): void {
    const { run, note, halt } = this.#options;
    const { aggregator, ledger, sessions, desk, rollback, defences } = run;
    const verdict = rollback.judge(loss);
    if (!verdict) return;
    const { to, because, exhausted } = verdict;
    if (ended && exhausted) return note('trouble', `${because}, and no state to go back to is any better`);
    const from = aggregator.version;
    desk.voidAll();
    aggregator.goBackTo(to.aggregator, to.ledger.made);
    for (const worker of to.workers) if (!sessions.find(worker)?.present) aggregator.leave(worker);
    if (!ended) ledger.goBackTo(to.ledger);
    defences.wentBack();
    const { version } = to.aggregator.facts;
    note('rolled-back', rolledBackText(because, from, version));
    if (!exhausted) return;
    halt(
      `it was rolled back ${ROLLBACKS_MAX} times without a better loss than before; ` +
        'lower the learning rate or ban who spoils it, then resume',
    );
  }
}
