// Workers around the aggregation code alone, one random act at a time, on a noisy quadratic. Everything an act does comes
// from the seed and the act's number, so that a lab can be stopped, copied, and gone on with.

import { Aggregator, type Written } from '../../server/core/aggregator.ts';
import type { Method } from '../../server/core/method.ts';
import { Rounds } from '../../server/core/rounds.ts';
import type { Sent } from '../../server/core/sent.ts';
import { rng } from '../../shared/rng.ts';
import { gradientAt } from '../core/driver.ts';
import { configOf } from './oracle.ts';

const WORKERS = 5;
const DIM = 6;

interface Held {
  readonly sent: Sent;
  readonly sequence: number;
  readonly round: number;
}

interface Saved {
  readonly written: Written;
  readonly acts: number;
  readonly issued: number;
  readonly held: readonly (readonly [string, Held])[];
  /** Who has had its turn in the round at hand. */
  readonly settled: readonly string[];
}

export class Lab {
  readonly aggregator: Aggregator;
  readonly #seed: number;
  readonly #held = new Map<string, Held>();
  readonly #settledIn = new Map<string, number>();
  readonly #rounds = new Rounds();
  #acts = 0;
  #issued = 0;

  constructor(method: Method, seed: number, values: Record<string, number | string | object> = {}) {
    const config = configOf(method.name, { learningRate: 0.01, weightDecay: 0.001, ...values });
    const theta = Float32Array.from({ length: DIM }, (_, i) => Math.fround(0.3 * (i + 1)));
    this.aggregator = new Aggregator({ method, config, theta, samplesPerEpoch: 100 });
    this.#seed = seed;
  }

  act(times: number): void {
    for (let i = 0; i < times; i++) this.#act();
  }

  /** Everything there is, sharing nothing. */
  save(): Saved {
    const { version } = this.aggregator;
    const round = this.#rounds.current(version, 1);
    const held = [...this.#held].map(([worker, one]) => {
      return [worker, { ...one, sent: { ...one.sent, vector: one.sent.vector.slice() } }] as const;
    });
    const settled = [...this.#settledIn].filter(([, settledIn]) => settledIn === round).map(([worker]) => worker);
    return { written: this.aggregator.snapshot(), acts: this.#acts, issued: this.#issued, settled, held };
  }

  /** Goes on from what was saved, in this fresh lab. */
  resume(saved: Saved): void {
    this.aggregator.restore(saved.written);
    this.#acts = saved.acts;
    this.#issued = saved.issued;
    const { version } = this.aggregator;
    const round = this.#rounds.current(version, 1);
    for (const worker of saved.settled) this.#settledIn.set(worker, round);
    for (const [worker, held] of saved.held) {
      this.#held.set(worker, { ...held, round: held.sent.version === version ? round : -1 });
    }
  }

  #act(): void {
    const act = this.#acts++;
    const random = rng(`lab/${this.#seed}/${act}`);
    const worker = `w${random.below(WORKERS)}`;
    const held = this.#held.get(worker);
    if (!held) return this.#pull(worker, act);
    this.#held.delete(worker);
    this.#settledIn.set(worker, held.round);
    const vector = gradientAt(held.sent.vector).map((g) => g + 0.1 * random.normal());
    const about = { samples: 1 + random.below(3), nowMs: act, turnaroundMs: 5, sequence: held.sequence };
    this.aggregator.push({ worker, sent: held.sent, vector, ...about }, { outstanding: this.#outstanding() });
  }

  /** Holds are never ended here: a saved lab and its copy both use the vectors. */
  #pull(worker: string, nowMs: number): void {
    const round = this.#rounds.current(this.aggregator.version, this.#outstanding());
    const settledThisRound = this.#settledIn.get(worker) === round ? 1 : 0;
    const asked = { nowMs, heldThisVersion: 0, settledThisRound, inFlight: this.#held.size };
    if (!this.aggregator.axes.gate.decide(asked)) return;
    this.#held.set(worker, { sent: this.aggregator.pull(worker), sequence: this.#issued++, round });
  }

  #outstanding(): number {
    return [...this.#held.values()].filter(({ sent }) => sent.version === this.aggregator.version).length;
  }
}
