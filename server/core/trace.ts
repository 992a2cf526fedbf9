// A sequence of pulls, pushes and leaves played into the real aggregator, by hand or from a file. A push answers the
// worker's last pull. The worked example of every method is such a trace.

import type { MethodConfig } from '../../shared/config.ts';
import { inDoubles, vecOf } from '../../shared/precision.ts';
import { Aggregator } from './aggregator.ts';
import type { Crowd, Method } from './method.ts';
import { Rounds } from './rounds.ts';
import type { Sent } from './sent.ts';

interface Timed {
  readonly worker: string;
  /** Never before the last event's; the event's index when absent. */
  readonly atMs?: number | undefined;
}

export type TraceEvent =
  | (Timed & { readonly type: 'pull' })
  | (Timed & { readonly type: 'push'; readonly vector: readonly number[]; readonly samples?: number | undefined })
  | (Timed & { readonly type: 'leave' });

/** What a worker was sent. */
export interface Served {
  readonly worker: string;
  readonly version: number;
  readonly params: readonly number[];
}

interface ResultOf<T extends TraceEvent['type']> extends Served {
  readonly index: number;
  readonly type: T;
  /** Pulls that waited for the gate and were served by what this event changed. */
  readonly served?: readonly Served[];
}

export type TraceResult =
  /** `params`: what is sent. When the gate lets nobody in yet the pull waits, and is sent nothing. */
  | (ResultOf<'pull'> & { readonly outcome?: 'waiting' })
  /**
   * `params`: θ afterwards. A push is `waiting` when it is kept until the rest of its round have pushed, and also (reason
   * `gate`) when its worker's last pull still waits, so that there was nothing to push for: then it changes nothing. So does
   * one that is `rejected`, which a second push for one pull is (`repeated`), or one for none (`unknown-lease`).
   */
  | (ResultOf<'push'> & {
      readonly outcome: 'applied' | 'buffered' | 'rejected' | 'waiting';
      /** Why it is `rejected`, or counted for nothing. */
      readonly reason?: string;
      readonly lag: number;
      readonly gap: number;
    })
  /** `params`: θ afterwards. */
  | ResultOf<'leave'>;

/** A trace and what θ (after a push or a leave) or the sent vector (of a pull) is after each event, worked by hand. */
export interface TraceExample {
  readonly config: Readonly<Record<string, number | string>> & { readonly learningRate: number };
  readonly params: readonly number[];
  readonly steps: readonly {
    readonly event: TraceEvent;
    readonly params: readonly number[];
    readonly because: string;
  }[];
}

export interface TraceInput {
  readonly method: Method;
  readonly config: MethodConfig;
  readonly params: readonly number[];
  readonly events: readonly TraceEvent[];
  /** Samples of one epoch, for schedules. */
  readonly samplesPerEpoch?: number;
  /**
   * Of what is kept from event to event: float32 when absent, as in a live run. In doubles it can be held against formulas
   * however long the trace is.
   */
  readonly precision?: 'float32' | 'float64';
}

/** Plays the events in order. Throws with the event's index when one makes no sense. */
export function playTrace({ events, precision = 'float32', ...start }: TraceInput): TraceResult[] {
  const play = (): TraceResult[] => {
    const table = new Table(start);
    return events.map((event, index) => table.play(event, index));
  };
  return precision === 'float64' ? inDoubles(play) : play();
}

interface Held {
  readonly sent: Sent;
  readonly atMs: number;
  /** The place of the batch in the order of leasing: one that comes back keeps it, and goes first. */
  readonly sequence: number;
  readonly round: number;
  readonly innerLearningRate: number;
}

/** What the coordinator's desk is to a run: who holds what, and who waits. */
class Table {
  readonly #aggregator: Aggregator;
  readonly #dim: number;
  readonly #held = new Map<string, Held>();
  readonly #waiting = new Set<string>();
  /** Workers that have pulled and not left. */
  readonly #workers = new Set<string>();
  /** Those of them whose last pull has been answered. */
  readonly #answered = new Set<string>();
  readonly #settled = new Map<string, { round: number; count: number }>();
  readonly #rounds = new Rounds();
  readonly #returned: number[] = [];
  #issued = 0;
  #nowMs = 0;

  constructor({ params, samplesPerEpoch = 1, ...rest }: Omit<TraceInput, 'events' | 'precision'>) {
    this.#aggregator = new Aggregator({ ...rest, theta: vecOf(params), samplesPerEpoch });
    this.#dim = params.length;
  }

  play(event: TraceEvent, index: number): TraceResult {
    const atMs = event.atMs ?? Math.max(index, this.#nowMs);
    if (atMs < this.#nowMs) throw new Error(`event ${index}: at ${atMs} ms, before the last one at ${this.#nowMs} ms`);
    this.#nowMs = atMs;
    this.#poll(); // what time alone has made due
    switch (event.type) {
      case 'pull':
        return this.#pull(event.worker, index);
      case 'push':
        return this.#push(event, index);
      case 'leave':
        return this.#leave(event.worker, index);
      default:
        return event satisfies never;
    }
  }

  #pull(worker: string, index: number): TraceResult {
    this.#drop(worker);
    this.#poll(); // before it is served: a round that this ends must not be joined any more
    this.#workers.add(worker);
    this.#answered.delete(worker);
    this.#waiting.add(worker);
    const served = this.#serve();
    const own = served.find((one) => one.worker === worker);
    const others = served.filter((one) => one !== own);
    const sent = own ?? { worker, version: this.#aggregator.version, params: [], outcome: 'waiting' as const };
    return { index, type: 'pull', ...sent, ...(others.length > 0 && { served: others }) };
  }

  #push({ worker, vector, samples = 1 }: Extract<TraceEvent, { type: 'push' }>, index: number): TraceResult {
    if (vector.length !== this.#dim) {
      throw new Error(`event ${index}: a vector of ${vector.length} numbers, expected ${this.#dim}`);
    }
    if (this.#waiting.has(worker)) {
      const nothing = { outcome: 'waiting', reason: 'gate', lag: 0, gap: 0 } as const;
      return { index, type: 'push', worker, ...nothing, ...this.#after() };
    }
    const held = this.#held.get(worker);
    if (!held) {
      const reason = this.#answered.has(worker) ? 'repeated' : 'unknown-lease';
      return { index, type: 'push', worker, outcome: 'rejected', reason, lag: 0, gap: 0, ...this.#after() };
    }
    this.#held.delete(worker);
    this.#answered.add(worker);
    const { sent, sequence, round, innerLearningRate } = held;
    this.#settle(worker, round);
    const result = this.#aggregator.push(
      {
        worker,
        sent,
        vector: vecOf(vector),
        samples,
        nowMs: this.#nowMs,
        turnaroundMs: this.#nowMs - held.atMs,
        innerLearningRate,
        sequence,
      },
      this.#crowd(),
    );
    this.#aggregator.release(sent);
    if (result.outcome === 'rejected') this.#returned.push(sequence);
    const kept = result.outcome === 'buffered' && this.#aggregator.axes.gather.together === true;
    const outcome = kept ? { outcome: 'waiting' as const } : {};
    return { index, type: 'push', worker, ...result, ...outcome, ...this.#after() };
  }

  #leave(worker: string, index: number): TraceResult {
    this.#drop(worker);
    this.#waiting.delete(worker);
    this.#workers.delete(worker);
    this.#answered.delete(worker);
    this.#aggregator.leave(worker);
    return { index, type: 'leave', worker, ...this.#after() };
  }

  /** What every result but a pull's ends with: θ, with the update that is due by now, and pulls that can be served. */
  #after(): { version: number; params: readonly number[]; served?: readonly Served[] } {
    this.#poll();
    const { version, theta } = this.#aggregator;
    const params = [...theta];
    const served = this.#serve();
    return { version, params, ...(served.length > 0 && { served }) };
  }

  /** Serves those who wait, in the order they came, as far as the gate lets them in. */
  #serve(): Served[] {
    return [...this.#waiting].flatMap((worker) => this.#issue(worker) ?? []);
  }

  #issue(worker: string): Served | null {
    const { version, axes } = this.#aggregator;
    const round = this.#rounds.current(version, this.#crowd().outstanding);
    const settled = this.#settled.get(worker);
    const open = axes.gate.decide({
      nowMs: this.#nowMs,
      heldThisVersion: 0,
      settledThisRound: settled?.round === round ? settled.count : 0,
      inFlight: this.#held.size,
    });
    if (!open) return null;
    this.#waiting.delete(worker);
    const sent = this.#aggregator.pull(worker, this.#workers.size);
    const sequence = this.#returned.shift() ?? this.#issued++;
    const { learningRate: innerLearningRate } = this.#aggregator;
    this.#held.set(worker, { sent, atMs: this.#nowMs, sequence, round, innerLearningRate });
    return { worker, version: sent.version, params: [...sent.vector] };
  }

  #settle(worker: string, round: number): void {
    const settled = this.#settled.get(worker);
    this.#settled.set(worker, { round, count: settled?.round === round ? settled.count + 1 : 1 });
  }

  /** The worker gives back what it holds. */
  #drop(worker: string): void {
    const held = this.#held.get(worker);
    if (!held) return;
    this.#aggregator.release(held.sent);
    this.#returned.push(held.sequence);
    this.#held.delete(worker);
  }

  #poll(): void {
    this.#aggregator.poll(this.#nowMs, this.#crowd());
  }

  #crowd(): Crowd {
    const { version } = this.#aggregator;
    const outstanding = [...this.#held.values()].filter(({ sent }) => sent.version === version).length;
    return { outstanding, workers: this.#workers.size };
  }
}
