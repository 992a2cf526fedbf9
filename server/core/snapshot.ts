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
  /** Everything but vectors: counters, the account of samples, workers, curves, measurements. */
  readonly facts: Json;
  /** θ and all that the method remembers; a copy. */
  readonly state: State;
}
