// What the runner and its threads say to each other.

import type { RunRow } from '../../sim/row.ts';
import type { Scenario } from '../../sim/scenario.ts';

export interface ThreadData {
  readonly dataDir: string;
}

export interface ToThread {
  readonly index: number;
  readonly scenario: Scenario;
}

export type FromThread =
  /** The share of that run's samples counted so far. */
  | { readonly type: 'progress'; readonly index: number; readonly share: number }
  | { readonly type: 'done'; readonly index: number; readonly row: RunRow }
  | { readonly type: 'failed'; readonly index: number; readonly error: string };
