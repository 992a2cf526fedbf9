// A run with defences for tests: a driver that also answers what they ask for.

import type { Effect } from '../../server/core/events.ts';
import asgd from '../../server/methods/asgd.ts';
import type danaZero from '../../server/methods/dana-zero.ts';
import { NO_DEFENCES, type Defences } from '../../shared/config.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { Driver, gradientAt, RUN, tinyRun, type Held } from './driver.ts';

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

/** A driver that also answers what the defences ask for: with the true gradient, unless told otherwise. */
export class Defended extends Driver {
  readonly asked: Effect[] = [];

  constructor(defences: Partial<Defences>, method: typeof asgd | typeof danaZero = asgd, more: object = {}) {
    super(tinyRun(method, { config: { defences: { ...NO_DEFENCES, ...defences }, epochs: 100, ...more } }));
  }

  override send(event: Parameters<Driver['send']>[0]): Effect[] {
    const effects = super.send(event);
    if (event.type === 'open') return effects; // sent while there is nothing of this class yet
    this.asked.push(...effects.filter(({ type }) => type === 'trust' || type === 'recompute' || type === 'cut'));
    return effects;
  }

  of<T extends Effect['type']>(type: T): EffectOf<T>[] {
    return this.asked.filter((effect): effect is EffectOf<T> => effect.type === type);
  }

  trusted(vector: Float32Array | null = null): void {
    const { version, theta } = this.of('trust').at(-1)!;
    this.send({ type: 'trusted', run: RUN, version, vector: vector ?? gradientAt(theta) });
  }

  ban(worker: string, reason = 'for a reason'): void {
    this.send({ type: 'ban', run: RUN, worker: asWorkerId(worker), reason });
  }

  /** How far θ moves by a push of this vector, as a part of what it asks for. */
  weightOf(worker: string, vector: number[], held: Held = this.lease(worker)): number {
    const before = this.theta();
    this.push(worker, held, { vector: Float32Array.from(vector) });
    const at = vector.findIndex((x) => x !== 0);
    return (before[at]! - this.theta()[at]!) / (0.1 * vector[at]!);
  }
}
