// How many batches a millisecond a fleet does, without waiting and in lockstep, from each worker's times a batch alone: so
// the mode that is not running can be judged too.

import { TimeHeap } from '../../shared/heap.ts';
import { rng } from '../../shared/rng.ts';

/** A worker's times a batch. */
export interface Pace {
  readonly meanMs: number;
  /** Mean distance from the mean. */
  readonly spreadMs: number;
}

/** Rounds that are tried: their mean is off by about a percent where the times vary by a quarter. */
const ROUNDS_MAX = 128;
/** Of many workers, whose longest time varies less, fewer: a few milliseconds of work at most. */
const DRAWS_MAX = 20_000;
const ROUNDS_MIN = 8;
/** Standard deviation over mean distance from the mean, of a normal distribution. */
const DEVIATION = Math.sqrt(Math.PI / 2);

/** Nobody waits. */
export function asyncBatchesPerMs(paces: readonly Pace[]): number {
  return paces.reduce((sum, { meanMs }) => sum + 1 / meanMs, 0);
}

/**
 * Rounds of so many batches, each as long as the slowest takes: the mean over rounds with times drawn at random, for
 * workers that are alike on average still wait for whoever is slow this time. With as many workers as batches or fewer,
 * each free worker takes the next batch until there is none left, and the last to finish ends the round; with more workers
 * than batches, those who take part change from round to round, and the slowest of them ends it. The same for the same
 * paces.
 */
export function syncBatchesPerMs(paces: readonly Pace[], batches: number): number {
  const random = rng('rounds');
  const draw = (pace: Pace): number => drawnMs(pace, random.normal());
  const rounds = roundsFor(paces, batches);
  let totalMs = 0;
  for (let round = 0; round < rounds; round++) {
    totalMs += batches < paces.length ? meanLongest(paces.map(draw), batches) : lastFinish(paces, batches, draw);
  }
  return (batches * rounds) / totalMs;
}

function roundsFor(paces: readonly Pace[], batches: number): number {
  if (paces.every(({ spreadMs }) => spreadMs === 0)) return 1;
  const affordable = Math.floor(DRAWS_MAX / Math.max(batches, paces.length));
  return Math.min(ROUNDS_MAX, Math.max(ROUNDS_MIN, affordable));
}

/** Log-normal, from a standard normal. */
function drawnMs({ meanMs, spreadMs }: Pace, normal: number): number {
  const variance = Math.log1p(((DEVIATION * spreadMs) / meanMs) ** 2);
  return meanMs * Math.exp(Math.sqrt(variance) * normal - variance / 2);
}

/** The mean, over all choices of `count`, of the longest among them. */
function meanLongest(times: readonly number[], count: number): number {
  const falling = [...times].sort((a, b) => b - a);
  let mean = 0;
  let left = 1; // the probability that none of the longer ones is among them
  for (let i = 0; i <= falling.length - count; i++) {
    const chosen = left * (count / (falling.length - i));
    mean += chosen * falling[i]!;
    left -= chosen;
  }
  return mean;
}

function lastFinish(paces: readonly Pace[], batches: number, draw: (pace: Pace) => number): number {
  const free = new TimeHeap<Pace>();
  for (const pace of paces) free.push(0, pace);
  let lastMs = 0;
  for (let batch = 0; batch < batches; batch++) {
    const { atMs, item } = free.pop()!;
    const doneMs = atMs + draw(item);
    free.push(doneMs, item);
    lastMs = Math.max(lastMs, doneMs);
  }
  return lastMs;
}
