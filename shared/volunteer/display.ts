// What a volunteer's page shows now, so that it is told only of changes: few events change anything.

import type { VolunteerView, WorkFigures } from './view.ts';

/** What a view is put together from. */
export interface Shown extends Omit<VolunteerView, keyof WorkFigures> {
  readonly figures: WorkFigures;
}

export class Display {
  private shown: Shown | null = null;

  /** The view to show from now on; null while it stays the same. */
  changed(now: Shown): VolunteerView | null {
    const { shown } = this;
    if (
      shown !== null &&
      shown.phase === now.phase &&
      shown.message === now.message &&
      shown.device === now.device &&
      shown.worker === now.worker &&
      shown.figures === now.figures
    ) {
      return null;
    }
    this.shown = now;
    const { figures, ...rest } = now;
    return { ...rest, ...figures };
  }
}
