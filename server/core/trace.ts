// A sequence of pulls, pushes and leaves played into the real aggregator, by hand or from a file. A push answers the
// worker's last pull. The worked example of every method is such a trace.

import type { MethodConfig } from '../../shared/config.ts';
import { Aggregator } from './aggregator.ts';
import type { Method } from './method.ts';
import type { Sent } from './sent.ts';

export type TraceEvent =
  | { readonly type: 'pull'; readonly worker: string }
  | {
      readonly type: 'push';
      readonly worker: string;
      readonly vector: readonly number[];
      readonly samples?: number | undefined;
    }
  | { readonly type: 'leave'; readonly worker: string };

export type TraceResult =
  | {
      readonly index: number;
      readonly type: 'pull';
      readonly worker: string;
      readonly version: number;
      readonly params: readonly number[];
    }
  | {
      readonly index: number;
      readonly type: 'push';
      readonly worker: string;
      readonly outcome: 'applied' | 'buffered' | 'rejected' | 'waiting';
      readonly reason?: string;
      readonly lag: number;
      readonly gap: number;
      readonly version: number;
      readonly params: readonly number[];
    }
  | {
      readonly index: number;
      readonly type: 'leave';
      readonly worker: string;
      readonly version: number;
      readonly params: readonly number[];
    };

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
}

/** Plays the events in order. Throws with the event's index when one makes no sense. */
export function playTrace({ method, config, params, events, samplesPerEpoch = 1 }: TraceInput): TraceResult[] {
  const aggregator = new Aggregator({ method, config, theta: Float32Array.from(params), samplesPerEpoch });
  const held = new Map<string, Sent>();
  const outstanding = (): number => [...held.values()].filter((sent) => sent.version === aggregator.version).length;
  const drop = (worker: string): void => {
    const sent = held.get(worker);
    if (sent) aggregator.release(sent);
    held.delete(worker);
  };
  return events.map((event, index): TraceResult => {
    const { worker } = event;
    switch (event.type) {
      case 'pull': {
        drop(worker);
        const sent = aggregator.pull(worker);
        held.set(worker, sent);
        return { index, type: 'pull', worker, version: sent.version, params: [...sent.vector] };
      }
      case 'push': {
        const sent = held.get(worker);
        if (!sent) throw new Error(`event ${index}: worker "${worker}" pushes but has pulled nothing`);
        if (event.vector.length !== params.length) {
          throw new Error(`event ${index}: a vector of ${event.vector.length} numbers, expected ${params.length}`);
        }
        held.delete(worker);
        const vector = Float32Array.from(event.vector);
        const crowd = { outstanding: outstanding() };
        const result = aggregator.push({ worker, sent, vector, samples: event.samples ?? 1, nowMs: index }, crowd);
        aggregator.release(sent);
        return { index, type: 'push', worker, ...result, version: aggregator.version, params: [...aggregator.theta] };
      }
      case 'leave':
        drop(worker);
        aggregator.leave(worker);
        aggregator.poll(index, { outstanding: outstanding() });
        return { index, type: 'leave', worker, version: aggregator.version, params: [...aggregator.theta] };
      default:
        return event satisfies never;
    }
  });
}
