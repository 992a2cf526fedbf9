// How long a volunteer goes without a coordinator: a minute for one that was never there, as long as it takes for one that
// went away, since it comes back.

import type { VolunteerPhase } from '../../shared/volunteer/view.ts';

const WITHOUT: ReadonlySet<VolunteerPhase> = new Set(['connecting', 'reconnecting']);
const WELCOME: ReadonlySet<VolunteerPhase> = new Set(['training', 'waiting', 'paused']);

export interface PatienceOptions {
  /** Until it is welcome for the first time. */
  readonly connectMsMax: number;
  /** Without connection after that; Infinity: for ever. */
  readonly awayMsMax: number;
  readonly giveUp: (afterMs: number) => void;
}

export class Patience {
  readonly #options: PatienceOptions;
  #welcomed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  see(phase: VolunteerPhase): void {
    this.#welcomed ||= WELCOME.has(phase);
    if (!WITHOUT.has(phase)) return this.end();
    const ms = this.#welcomed ? this.#options.awayMsMax : this.#options.connectMsMax;
    if (ms !== Infinity) this.#timer ??= setTimeout(() => this.#options.giveUp(ms), ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
