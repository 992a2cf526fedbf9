// A run written down: everything that it is, as plain data. A run opened with one goes on as if it had never stopped, but for
// the leases that were out, which are void: their work is leased again.

import type { RunConfig } from '../../shared/config.ts';
import type { State } from './state.ts';

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface RunSnapshot {
  /** As it is now: the method may have been changed. */
  readonly config: RunConfig;
  readonly version: number;
  readonly ended: boolean;
  /** Everything but vectors: counters, the account of samples, workers, curves, measurements. See runstate.ts. */
  readonly facts: Json;
  /** `theta` and all that the method remembers; and under `good` the same of the state that a roll-back goes to. A copy. */
  readonly state: State;
}
