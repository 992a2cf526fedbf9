// What a volunteer is shown: made by the volunteer machine, drawn by the page and printed by the headless client.

import type { Device } from '../protocol/messages.ts';
import type { RunSummary } from '../protocol/snapshots.ts';

export type VolunteerPhase =
  | 'checking' // trying backends, running the self-test
  | 'connecting'
  | 'training'
  | 'waiting' // the coordinator has nothing for us now
  | 'paused' // by the volunteer
  | 'reconnecting'
  | 'finished' // the run has ended
  | 'stopped' // by the volunteer
  | 'failed'; // refused, or no backend works: see `message`

/** All that the volunteer's page shows, sent whole at most four times a second. */
export interface VolunteerView {
  readonly phase: VolunteerPhase;
  /** One sentence for a person; null when there is nothing to say. */
  readonly message: string | null;
  readonly device: Device | null;
  readonly worker: string | null;
  /** Steps computed, and samples of the pushes that the coordinator accepted. */
  readonly steps: number;
  readonly samples: number;
  readonly rejected: number;
  readonly stepMs: number | null;
  /** Of this worker's last step. */
  readonly loss: number | null;
  readonly lag: number | null;
  readonly gap: number | null;
  readonly run: RunSummary | null;
}

/** Of the work done so far. */
export type WorkFigures = Omit<VolunteerView, 'phase' | 'message' | 'device' | 'worker'>;

export const NOTHING_DONE: WorkFigures = {
  steps: 0,
  samples: 0,
  rejected: 0,
  stepMs: null,
  loss: null,
  lag: null,
  gap: null,
  run: null,
};
