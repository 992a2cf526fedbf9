// A fleet of fake workers that trains a run to its end, with step times from a seed.

import { rng } from '../../shared/rng.ts';
import { TimeHeap } from '../../shared/heap.ts';
import { gradientAt, type Driver, type Held } from './driver.ts';

export interface FleetOptions {
  readonly workers: number;
  readonly seed: number;
  /** Standard deviation of the noise on every gradient. */
  readonly noise?: number;
  readonly meanStepMs?: number;
  /** Steps after which the fleet gives up. */
  readonly stepsMax?: number;
}

/** Trains until the coordinator says stop. Every worker computes one step at a time, at its own random speed. */
export function train(driver: Driver, options: FleetOptions): void {
  const { workers, seed, noise = 0, meanStepMs = 100, stepsMax = 20_000 } = options;
  const random = rng(`fleet/${seed}`);
  const names = Array.from({ length: workers }, (_, i) => `w${i}`);
  const speeds = new Map(names.map((name) => [name, random.gamma(3, meanStepMs / 3)]));
  const heap = new TimeHeap<{ worker: string; held: Held | null; request: number }>();
  const later = (worker: string, request: number): void => {
    const held = driver.answers.get(request)?.held ?? null;
    const ms = held ? random.gamma(100, speeds.get(worker)! / 100) : 50;
    heap.push(driver.nowMs + ms, { worker, held, request });
  };
  driver.join(...names);
  for (const worker of names) later(worker, driver.ask(worker));
  for (let step = 0; step < stepsMax; step++) {
    const first = heap.pop();
    if (!first) return;
    driver.advance(Math.max(0, first.atMs - driver.nowMs));
    const { worker, held, request } = first.item;
    const answer = driver.answers.get(request);
    if (!held) {
      if (answer?.reply.next.kind === 'stop') continue;
      later(worker, answer && !answer.held ? driver.ask(worker) : request); // a pull held open is looked at again
      continue;
    }
    const vector = answerOf(held, (theta) => gradientAt(theta).map((g) => g + noise * random.normal()));
    const { next } = driver.push(worker, held, { vector });
    if (next.kind !== 'stop') later(worker, driver.ask(worker));
  }
  throw new Error(`the fleet did not finish in ${stepsMax} steps`);
}

/** A gradient; or the pseudo-gradient of a step of plain SGD on each batch, whatever the inner optimizer. */
function answerOf({ lease, params }: Held, gradient: (theta: Float32Array) => Float32Array): Float32Array {
  const { work, batches } = lease;
  if (work.kind === 'gradient') return gradient(params);
  let x = params;
  for (let i = 0; i < batches.length; i++) {
    const g = gradient(x);
    x = x.map((value, j) => value - work.learningRate * g[j]!);
  }
  return params.map((value, j) => value - x[j]!);
}
