// A volunteer over the whole run: comes, opens a tab, perhaps closes it or loses it, and perhaps comes back in another.

import type { Rng } from '../../shared/rng.ts';
import type { Clock } from './clock.ts';
import { exponential, type Churn } from './fleet.ts';
import { Tab, type TabOptions } from './tab.ts';

export interface VisitorOptions extends Omit<TabOptions, 'name' | 'random'> {
  readonly index: number;
  readonly churn: Churn | null;
  readonly arriveWithinMs: number;
  readonly random: Rng;
}

/** Plans the volunteer's first visit; the later ones follow from it. */
export function invite(options: VisitorOptions): void {
  const { clock, arriveWithinMs, random } = options;
  const atMs = arriveWithinMs === 0 ? 0 : arriveWithinMs * random.fork('arrival').next();
  clock.at(atMs, () => visit(options, 1));
}

function visit({ index, churn, clock, random, ...rest }: VisitorOptions, number: number): void {
  const tab = new Tab({ ...rest, clock, name: `${index}.${number}`, random: random.fork(`jitter/${number}`) });
  tab.open();
  if (churn === null) return;
  const chance = random.fork(`visit/${number}`);
  plan(clock, exponential(churn.stayMs, chance), () => {
    if (chance.next() < churn.crashes) tab.crash();
    else tab.close();
    const again = (): void => visit({ index, churn, clock, random, ...rest }, number + 1);
    plan(clock, exponential(churn.awayMs, chance), again);
  });
}

const plan = (clock: Clock, ms: number, then: () => void): void => clock.after(ms, then);
