// What the page and its Web Worker say to each other: plain objects by postMessage. The page never touches TensorFlow.js.

import type { Backend } from '../../shared/protocol/messages.ts';
import type { VolunteerView } from '../../shared/volunteer/view.ts';

export type { VolunteerPhase, VolunteerView } from '../../shared/volunteer/view.ts';

export type PageToWorker =
  | {
      readonly type: 'start';
      readonly run: string;
      readonly name: string;
      readonly backend?: Backend | undefined;
      readonly joinCode: string | null;
    }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Give the leases back and disconnect. */
  | { readonly type: 'stop' }
  | { readonly type: 'visibility'; readonly hidden: boolean }
  /** Thawed, shown again, or online again: try now what waits. */
  | { readonly type: 'woke' };

export type WorkerToPage =
  | { readonly type: 'view'; readonly view: VolunteerView }
  /** Whose goodbye the page says when it is closed. */
  | ({ readonly type: 'welcomed' } & Place);

/** A worker's place in a run. */
export interface Place {
  readonly run: string;
  readonly token: string;
}
