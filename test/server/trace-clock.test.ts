// The clock of a trace file: what a gate that goes by time makes of events that have none.

import { expect, test } from 'vitest';
import { playTrace } from '../../server/core/trace.ts';
import { parseTrace } from '../../server/host/tracefile.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';

const pull = (worker: string) => ({ type: 'pull', worker });
const parse = (trace: object) => parseTrace(JSON.stringify({ params: [1], ...trace }), 'f');

const WORKERS = Array.from('abcdefgh');
const [RATE, MOMENTUM, BUFFER] = [0.7, 0.9, 4];
const VECTORS = Array.from({ length: 5 * WORKERS.length }, (_, i) => (i % 5) - 1.7);

/** θ after each push: the momentum m moves once in BUFFER pushes, by their mean. */
function formula(): number[] {
  let [theta, m] = [1, 0];
  return VECTORS.map((vector, i) => {
    const last = (i + 1) % BUFFER === 0;
    if (last) m = MOMENTUM * m + VECTORS.slice(i + 1 - BUFFER, i + 1).reduce((a, b) => a + b, 0) / BUFFER;
    theta -= RATE * ((last ? MOMENTUM * m : 0) + vector / BUFFER);
    return theta;
  });
}

test('[A16] at the default grace period nobody waits where no time is given, and θ is the formula’s', async () => {
  const method = methodNamed(await loadMethods(), 'async-local-sgd');
  const settings = { outerLearningRate: RATE, outerMomentum: MOMENTUM, bufferSize: BUFFER };
  const events = VECTORS.flatMap((vector, i) => {
    const worker = WORKERS[i % WORKERS.length]!;
    return [{ type: 'push', worker, vector: [vector] }, pull(worker)];
  });
  const trace = parse({
    method: { name: method.name, learningRate: 0.1, ...settings },
    events: [...WORKERS.map(pull), ...events],
  });
  const results = playTrace({ ...trace, method }).slice(WORKERS.length);
  const expected = formula();
  for (const [i, theta] of expected.entries()) {
    const [pushed, pulled] = results.slice(2 * i);
    expect(pushed).toMatchObject({ type: 'push', outcome: 'applied' });
    expect(pushed!.params[0]).toBeCloseTo(theta, 12);
    expect(pulled).toMatchObject({ type: 'pull', params: pushed!.params });
    expect(pulled).not.toHaveProperty('outcome');
  }
});

test('[A16] an event without a time comes when the last one did, the first at 0', () => {
  const events = [pull('a'), { ...pull('b'), atMs: 5 }, pull('c'), { ...pull('d'), atMs: 9 }];
  const { events: timed } = parse({ method: { name: 'asgd', learningRate: 0.1 }, events });
  expect(timed.map(({ atMs }) => atMs)).toEqual([0, 5, 5, 9]);
});
