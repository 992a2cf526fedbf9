// What the methods have to do with one another: identities that hold exactly or to the rounding of float32.

import { describe, expect, it } from 'vitest';
import { Aggregator } from '../../server/core/aggregator.ts';
import { LAMBDA } from '../../server/core/hyperparameters.ts';
import type { State } from '../../server/core/state.ts';
import { playTrace, type TraceEvent, type TraceResult } from '../../server/core/trace.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import { rng } from '../../shared/rng.ts';
import { configOf, difference, DIM, randomTrace, randomVector, startAt } from './oracle.ts';

const methods = await loadMethods();
const ETA = 0.05;

type Values = Record<string, number | string>;

function play(name: string, values: Values, events: readonly TraceEvent[]): TraceResult[] {
  const config = configOf(name, { learningRate: ETA, ...values });
  return playTrace({ method: methodNamed(methods, name), config, params: startAt(1), events });
}

/** The largest relative difference between what two methods send and come to. */
function apart(a: TraceResult[], b: TraceResult[]): number {
  return Math.max(...a.map((result, i) => difference(result.params, b[i]!.params)));
}

const oneWorker = randomTrace(4, { workers: 1, events: 300, leaves: false });
const several = randomTrace(5, { workers: 6, events: 400, leaves: false });

/** Rounds of the same workers: all pull, all push. */
function rounds(workers: number, count: number, samples = 1): TraceEvent[] {
  const random = rng('rounds');
  const names = Array.from({ length: workers }, (_, i) => `w${i}`);
  return Array.from({ length: count }, () => [
    ...names.map((worker): TraceEvent => ({ type: 'pull', worker })),
    ...names.map((worker): TraceEvent => ({ type: 'push', worker, vector: randomVector(random), samples })),
  ]).flat();
}

describe('one worker', () => {
  it.each(['dana-zero', 'multi-asgd', 'lwp'])('makes %s Nesterov’s momentum', (name) => {
    const theirs = play(name, { weightDecay: 0.01 }, oneWorker);
    const nag = play('nag-asgd', { weightDecay: 0.01 }, oneWorker);
    const pushes = (results: TraceResult[]) => results.filter(({ type }) => name !== 'lwp' || type === 'push');
    expect(apart(pushes(theirs), pushes(nag))).toBeLessThan(1e-6); // lwp looks no further than θ, and moves θ alike
  });

  it.each(['asgd-ga', 'staleness-aware', 'dc-asgd', 'dc-asgd-a'])(
    'without a gap leaves %s no penalty: it is SGD',
    (name) => {
      const values: Values = name === 'asgd-ga' ? {} : { momentum: 0 };
      expect(play(name, values, oneWorker)).toEqual(play('asgd', {}, oneWorker));
    },
  );

  it('leaves a lag of at most 1 whole under staleness-aware', () => {
    const two = rounds(2, 50).map((event, i) => ({ ...event, atMs: i })); // lags 0 and 1 in turn
    expect(play('staleness-aware', {}, two)).toEqual(play('nag-asgd', {}, two));
  });
});

describe('DANA', () => {
  it('Slim holds the point that Zero sends, while η is constant and nobody leaves', () => {
    const zero = play('dana-zero', {}, several).filter(({ type }) => type === 'pull');
    const slim = play('dana-slim', {}, several).filter(({ type }) => type === 'pull');
    expect(apart(zero, slim)).toBeLessThan(1e-5);
  });

  it('DC with λ = 0 is Zero', () => {
    expect(LAMBDA.min).toBe(0);
    expect(play('dana-dc', { lambda: 0 }, several)).toEqual(play('dana-zero', {}, several));
  });

  it.each([1, 2, 3, 4])('[A11] keeps V = Σ vʲ through any sequence of joins, pushes and leaves, seed %i', (seed) => {
    const random = rng(`churn/${seed}`);
    const config = configOf('dana-zero', { learningRate: ETA });
    const theta = Float32Array.from(startAt(1));
    const aggregator = new Aggregator({ method: methodNamed(methods, 'dana-zero'), config, theta, samplesPerEpoch: 1 });
    const held = new Map<string, ReturnType<Aggregator['pull']>>();
    for (let i = 0; i < 25_000; i++) {
      const worker = `w${random.below(12)}`;
      const sent = held.get(worker);
      held.delete(worker);
      if (random.below(15) === 0) aggregator.leave(worker);
      else if (!sent) held.set(worker, aggregator.pull(worker));
      else {
        const vector = Float32Array.from(randomVector(random));
        aggregator.push({ worker, sent, vector, samples: 1, nowMs: i }, { outstanding: 0 });
      }
      if (sent) aggregator.release(sent);
    }
    const { sum, workers } = aggregator.state()['outer'] as {
      sum: Float32Array;
      workers: Record<string, Float32Array>;
    };
    const exact = Array.from(sum, (_, i) => Object.values(workers).reduce((total, v) => total + v[i]!, 0));
    expect(Object.keys(workers).length).toBeGreaterThan(2);
    expect(Object.keys(workers).length).toBeLessThanOrEqual(12);
    expect(difference([...sum], exact)).toBeLessThan(1e-4);
  });

  it('forgets everything of workers that have all left', () => {
    const leaves = Array.from({ length: 6 }, (_, i): TraceEvent => ({ type: 'leave', worker: `w${i}` }));
    const results = play('dana-zero', {}, [...several, ...leaves, { type: 'pull', worker: 'new' }]);
    const [theta, sent] = [results.at(-2)!.params, results.at(-1)!.params];
    expect(difference(sent, theta)).toBeLessThan(1e-5); // nobody's momentum is foreseen
  });
});

describe('rounds of local steps', () => {
  const events = rounds(3, 60);

  it('SlowMo with β = 0 and α = 1 is local SGD', () => {
    const slow = play('slowmo', { outerMomentum: 0, outerLearningRate: 1 }, events);
    expect(apart(slow, play('local-sgd', {}, events))).toBeLessThan(1e-6);
  });

  it('DiLoCo with ε = 1 and μ = 0 is federated averaging', () => {
    const diloco = play('diloco', { outerMomentum: 0, outerLearningRate: 1 }, events);
    expect(diloco).toEqual(play('local-sgd', {}, events));
  });

  it('PALSGD with p = 0 is DiLoCo: on the coordinator, and in what it asks of a worker', () => {
    const same = { outerLearningRate: 0.7, outerMomentum: 0.9, localSteps: 32 };
    expect(play('palsgd', { ...same, mixProbability: 0 }, events)).toEqual(play('diloco', same, events));
    const workOf = (name: string, values: Values) => {
      const config = configOf(name, { learningRate: ETA, ...same, ...values });
      const theta = new Float32Array(DIM);
      const aggregator = new Aggregator({ method: methodNamed(methods, name), config, theta, samplesPerEpoch: 1 });
      return { batches: aggregator.batches('w', 0), ...aggregator.work({ epochs: 0, seed: 1 }) };
    };
    const { clipNorm, ...rest } = workOf('palsgd', { mixProbability: 0, clipNorm: 5 }) as { clipNorm?: number };
    expect(clipNorm).toBe(5); // its gradients are clipped, DiLoCo's are not
    expect(rest).toEqual(workOf('diloco', {}));
  });
});

describe('delayed Nesterov', () => {
  it('with N = 1 and c = 0 is Nesterov’s momentum, a push at a time', () => {
    const values = { bufferSize: 1, gracePart: 0, outerLearningRate: 0.3, outerMomentum: 0.8 };
    const delayed = play('async-local-sgd', values, oneWorker);
    const nesterov = play('diloco', { outerLearningRate: 0.3, outerMomentum: 0.8 }, oneWorker);
    expect(apart(delayed, nesterov)).toBeLessThan(1e-6);
  });

  it('over N equal pseudo-gradients is one Nesterov step on one of them', () => {
    const values = { outerLearningRate: 0.3, outerMomentum: 0.8 };
    const random = rng('equal');
    const groups = Array.from({ length: 20 }, () => randomVector(random));
    const eventsOf = (times: number): TraceEvent[] =>
      groups.flatMap((vector) =>
        Array.from({ length: times }, () => [
          { type: 'pull', worker: 'a' } as const,
          { type: 'push', worker: 'a', vector } as const,
        ]).flat(),
      );
    const four = play('async-local-sgd', { ...values, bufferSize: 4, gracePart: 0 }, eventsOf(4));
    const one = play('diloco', values, eventsOf(1));
    const ends = four.filter((_, i) => i % 8 === 7);
    expect(apart(ends, one.filter(({ type }) => type === 'push'))).toBeLessThan(1e-5); // prettier-ignore
  });
});

describe('collecting', () => {
  it('FedBuff with K = 1 and no momentum applies every displacement at once', () => {
    const values = { bufferSize: 1, outerMomentum: 0, outerLearningRate: 0.5 };
    const results = play('fedbuff', values, oneWorker);
    let theta = startAt(1);
    oneWorker.forEach((event, i) => {
      if (event.type !== 'push') return;
      expect(results[i]).toMatchObject({ outcome: 'applied', lag: 0 });
      theta = theta.map((x, j) => x - 0.5 * event.vector[j]!);
      expect(difference(results[i]!.params, theta)).toBeLessThan(1e-5);
    });
  });

  it('GBA in lockstep with M = N is synchronous SGD, to the bit', () => {
    const events = rounds(4, 50);
    const sync = play('gba', { bufferSize: 4, mode: 'sync', momentum: 0.9, weightDecay: 0.01 }, events);
    const ssgd = play('ssgd', { momentum: 0.9, weightDecay: 0.01 }, events);
    expect(sync.map(({ params, version }) => [params, version])).toEqual(
      ssgd.map(({ params, version }) => [params, version]),
    );
  });

  it('GBA without waiting, at equal speeds and M = N, is synchronous SGD too', () => {
    const events = rounds(4, 50);
    const free = play('gba', { bufferSize: 4, maxStaleness: 0, momentum: 0.9 }, events);
    const ssgd = play('ssgd', { momentum: 0.9 }, events);
    expect(free.map(({ params }) => params)).toEqual(ssgd.map(({ params }) => params));
  });

  it('[A13] GBA with ι = 0 leaves out exactly the gradients whose update is past', () => {
    // Of two workers, "slow" pushes in every third update of M = 2; the rest are of "fast".
    const events: TraceEvent[] = [{ type: 'pull', worker: 'slow' }];
    for (let i = 0; i < 5; i++) events.push({ type: 'pull', worker: 'fast' }, { type: 'push', worker: 'fast', vector: [1] }); // prettier-ignore
    events.push({ type: 'push', worker: 'slow', vector: [100] });
    const config = configOf('gba', { learningRate: 1, bufferSize: 2, maxStaleness: 0, momentum: 0 });
    const results = playTrace({ method: methodNamed(methods, 'gba'), config, params: [0], events });
    // Tokens: slow 0, fast 0 1 1 2 2. After five pushes of fast two updates are done; slow's is two late.
    expect(results.at(-2)).toMatchObject({ outcome: 'buffered', version: 2, params: [-2] });
    expect(results.at(-1)).toMatchObject({ outcome: 'applied', reason: 'past-token', version: 3, params: [-2.5] });
    expect(results.filter((result) => 'reason' in result)).toHaveLength(1);
  });
});

describe('a change of method', () => {
  const push = (aggregator: Aggregator, worker: string, value: number): void => {
    const sent = aggregator.pull(worker);
    const vector = new Float32Array(DIM).fill(value);
    aggregator.push({ worker, sent, vector, samples: 1, nowMs: 0 }, { outstanding: 1 });
    aggregator.release(sent);
  };
  const aggregatorOf = (name: string, values: Values): Aggregator => {
    const config = configOf(name, { learningRate: ETA, ...values });
    return new Aggregator({ method: methodNamed(methods, name), config, theta: new Float32Array(DIM), samplesPerEpoch: 1 }); // prettier-ignore
  };
  const become = (aggregator: Aggregator, name: string, values: Values = {}): void => {
    const config = configOf(name, { learningRate: ETA, ...values });
    aggregator.become(methodNamed(methods, name), config, { nextSequence: 7, nowMs: 0 });
  };
  const outer = (aggregator: Aggregator) => aggregator.state()['outer'] as State;

  it('[A15] keeps θ to the bit, whatever the pair', () => {
    for (const from of methods.keys()) {
      for (const to of methods.keys()) {
        const aggregator = aggregatorOf(from, {});
        for (const worker of ['a', 'b', 'a', 'b', 'a']) push(aggregator, worker, 0.1);
        aggregator.poll(0, { outstanding: 0, closing: true });
        const before = aggregator.theta.slice();
        become(aggregator, to);
        expect([from, to, aggregator.theta]).toEqual([from, to, before]);
        push(aggregator, 'c', 0.1);
        aggregator.poll(0, { outstanding: 0, closing: true });
        expect([from, to, aggregator.theta.every(Number.isFinite)]).toEqual([from, to, true]);
        expect(aggregator.theta).not.toEqual(before);
      }
    }
  });

  it('[A15] keeps the optimizer’s memory from synchronous to GBA and on to asynchronous', () => {
    const aggregator = aggregatorOf('ssgd', { momentum: 0.9 });
    push(aggregator, 'a', 1);
    aggregator.poll(0, { outstanding: 0 });
    const velocity = (outer(aggregator)['velocity'] as Float32Array).slice();
    expect(velocity[0]).toBe(1);
    for (const name of ['gba', 'nag-asgd', 'gap-aware']) {
      become(aggregator, name, { momentum: 0.9 });
      expect(outer(aggregator)['velocity']).toEqual(velocity);
    }
  });

  it('takes over nothing that means something else', () => {
    const aggregator = aggregatorOf('multi-asgd', {});
    push(aggregator, 'a', 1);
    become(aggregator, 'dana-zero'); // whose sum of momenta the other did not keep
    expect(outer(aggregator)).toMatchObject({ updates: 0, workers: {} });
  });

  it('[A15] applies first what was gathered, so that nothing counted is lost', () => {
    const aggregator = aggregatorOf('gba', { bufferSize: 4 });
    push(aggregator, 'a', 1);
    push(aggregator, 'b', 3);
    expect(aggregator.version).toBe(0);
    become(aggregator, 'asgd');
    expect([aggregator.version, aggregator.theta[0]]).toEqual([1, Math.fround(-ETA * 2)]);
  });

  it('[A13] counts GBA’s tokens from the change on', () => {
    const aggregator = aggregatorOf('asgd', {});
    become(aggregator, 'gba', { bufferSize: 1, maxStaleness: 0 });
    const sent = aggregator.pull('a');
    const about = { worker: 'a', sent, samples: 1, nowMs: 0 };
    for (const sequence of [7, 8]) {
      aggregator.push({ ...about, vector: new Float32Array(DIM).fill(1), sequence }, { outstanding: 0 });
    }
    expect(aggregator.theta[0]).toBeCloseTo(-2 * ETA, 6);
    aggregator.push({ ...about, vector: new Float32Array(DIM).fill(1), sequence: 6 }, { outstanding: 0 }); // from before
    expect(aggregator.theta[0]).toBeCloseTo(-2 * ETA, 6); // two updates late for the first
  });

  it('that does not fit throws, and changes nothing', () => {
    const aggregator = aggregatorOf('gba', { bufferSize: 4 });
    push(aggregator, 'a', 1);
    expect(() => become(aggregator, 'nag-asgd', { momentum: 2 })).toThrow('momentum is 2, expected');
    expect([aggregator.version, aggregator.theta[0]]).toEqual([0, 0]);
  });
});
