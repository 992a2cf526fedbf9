// How many batches a millisecond a fleet does, without waiting and in lockstep, from each worker's time a batch alone: so
// the mode that is not running can be judged too.

/** Nobody waits. */
export function asyncBatchesPerMs(batchMs: readonly number[]): number {
  return batchMs.reduce((sum, ms) => sum + 1 / ms, 0);
}

/**
 * Rounds of so many batches. With as many workers or fewer, each free worker takes the next batch until there is none left,
 * and the last to finish ends the round; with more workers than batches, those who take part change from round to round,
 * and the slowest of them ends it.
 */
export function syncBatchesPerMs(batchMs: readonly number[], batches: number): number {
  return batches / (batches < batchMs.length ? meanLongest(batchMs, batches) : lastFinish(batchMs, batches));
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

function lastFinish(times: readonly number[], batches: number): number {
  const free = times.map(() => 0);
  for (let batch = 0; batch < batches; batch++) {
    const next = free.indexOf(Math.min(...free));
    free[next] = free[next]! + times[next]!;
  }
  return Math.max(...free);
}
