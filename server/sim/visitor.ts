// A volunteer over the whole run: comes, opens a tab, perhaps closes it or loses it, and perhaps comes back in another.

import type { Rng } from '../../shared/rng.ts';
import { exponential, type Fleet } from './fleet.ts';
import { Tab, type TabOptions } from './tab.ts';

export interface VisitorOptions extends Omit<TabOptions, 'name' | 'random' | 'skewMs'> {
  readonly index: number;
  readonly fleet: Fleet;
  readonly random: Rng;
}

/** Plans the volunteer's visits. */
export function invite(options: VisitorOptions): void {
  const { clock, random, fleet } = options;
  const { arriveWithinMs, outages = [], honestAfterMs = 0 } = fleet;
  const visitor = new Visitor(options);
  const beginMs = options.machine.honest ? honestAfterMs : 0;
  const atMs = beginMs + (arriveWithinMs === 0 ? 0 : arriveWithinMs * random.fork('arrival').next());
  clock.at(atMs, () => visitor.visit());
  for (const [i, outage] of outages.entries()) {
    if (random.fork(`outage/${i}`).next() < outage.share)
      clock.at(outage.atMs, () => visitor.crash(outage.backAfterMs));
  }
}

class Visitor {
  readonly #options: VisitorOptions;
  #visits = 0;
  /** Null while none is open. */
  #tab: Tab | null = null;

  constructor(options: VisitorOptions) {
    this.#options = options;
  }

  visit(): void {
    const { index, fleet, random, ...rest } = this.#options;
    const number = ++this.#visits;
    const skewMs = (fleet.skewMs ?? 0) * (index % 2 === 0 ? 1 : -1);
    const tab = new Tab({ ...rest, skewMs, name: `${index}.${number}`, random: random.fork(`jitter/${number}`) });
    this.#tab = tab;
    tab.open();
    const { churn } = fleet;
    if (churn === null) return;
    const chance = random.fork(`visit/${number}`);
    rest.clock.after(exponential(churn.stayMs, chance), () => {
      if (this.#tab !== tab) return; // lost before it was closed
      if (chance.next() < churn.crashes) tab.crash();
      else tab.close();
      this.#comeBack(exponential(churn.awayMs, chance));
    });
  }

  /** The tab that is open is lost. */
  crash(backAfterMs: number): void {
    if (this.#tab === null) return;
    this.#tab.crash();
    this.#comeBack(backAfterMs);
  }

  #comeBack(afterMs: number): void {
    this.#tab = null;
    this.#options.clock.after(afterMs, () => this.visit());
  }
}
