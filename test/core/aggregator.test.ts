// θ and the stages in order; the vectors that were sent; state taken out and put back.

import { describe, expect, it } from 'vitest';
import { Aggregator } from '../../server/core/aggregator.ts';
import { NORM_MAX, NORM_MIN } from '../../shared/protocol/norms.ts';
import { Run } from '../../server/core/run.ts';
import { SentVectors, type Sent } from '../../server/core/sent.ts';
import { cloneState, restoreState, type State } from '../../server/core/state.ts';
import asgd from '../../server/methods/asgd.ts';
import gapAware from '../../server/methods/gap-aware.ts';
import ssgd from '../../server/methods/ssgd.ts';
import { methodSchema, type MethodConfig } from '../../shared/config.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { rng } from '../../shared/rng.ts';
import { DEVICE, RUN, tinyRun } from './driver.ts';
import fc from '../property.ts';

const alone = { outstanding: 0 };
const configOf = (more: object = {}): MethodConfig => methodSchema.parse({ name: 'any', learningRate: 0.5, ...more });
const asgdOf = (theta: number[], more: object = {}): Aggregator =>
  new Aggregator({
    method: asgd,
    config: configOf(more),
    theta: Float32Array.from(theta),
    samplesPerEpoch: 10,
  });

const push = (aggregator: Aggregator, vector: number[], samples = 1, sent = aggregator.pull('a')) =>
  aggregator.push({ worker: 'a', sent, vector: Float32Array.from(vector), samples, nowMs: 0 }, alone);

describe('what is refused', () => {
  it.each<[string, number[], string]>([
    ['NaN', [1, NaN], 'not-finite'],
    ['infinity', [Infinity, 1], 'not-finite'],
    ['all zeros', [0, -0], 'all-zero'],
    ['numbers whose sum of squares would overflow a momentum', [1e38, 0], 'too-large'],
    ['a norm above the limit', [NORM_MAX * 1.001, 0], 'too-large'],
    ['denormals', [1e-45, -1e-40], 'too-small'],
  ])('[A1] [P18] %s, and θ keeps its bits', (_what, vector, reason) => {
    const aggregator = asgdOf([1, 2]);
    expect(push(aggregator, vector)).toMatchObject({ outcome: 'rejected', reason });
    expect([...aggregator.theta]).toEqual([1, 2]);
    expect([aggregator.version, aggregator.samples]).toEqual([0, 0]);
  });

  it('[A1] not a norm at either limit', () => {
    expect(push(asgdOf([1, 2]), [NORM_MIN, 0]).outcome).toBe('applied');
    expect(push(asgdOf([1, 2]), [NORM_MAX * 0.999, 0]).outcome).toBe('applied');
  });

  it('[A1] not zeros where the learning rate is 0: local steps lead nowhere then', () => {
    const still = { decay: { kind: 'step', epochs: [0], factor: 0 } } as const;
    const theta = Float32Array.of(1, 2);
    const aggregator = new Aggregator({ method: gapAware, config: configOf({ schedule: still }), theta, samplesPerEpoch: 10 }); // prettier-ignore
    expect(push(aggregator, [0, 0]).outcome).toBe('applied');
    expect([...aggregator.theta]).toEqual([1, 2]);
  });

  it('[A1] no sequence of pushes that are let through makes θ infinite within ten thousand', () => {
    const aggregator = new Aggregator({
      method: gapAware,
      config: configOf({ momentum: 0.99 }),
      theta: new Float32Array(2),
      samplesPerEpoch: 10,
    });
    for (let i = 0; i < 10_000; i++) {
      const sent = aggregator.pull('a');
      push(aggregator, [NORM_MAX * 0.7, i % 2 === 0 ? -NORM_MAX * 0.7 : 1], 1, sent);
      aggregator.release(sent);
    }
    expect(aggregator.version).toBe(10_000);
    expect(aggregator.theta.every(Number.isFinite)).toBe(true);
  });
});

describe('the learning rate', () => {
  it('[T6] follows the samples taken in, not the updates', () => {
    const aggregator = asgdOf([0, 0], { schedule: { decay: { kind: 'step', epochs: [1, 2], factor: 0.1 } } });
    expect(aggregator.learningRate).toBe(0.5);
    push(aggregator, [1, 1], 9);
    expect(aggregator.learningRate).toBe(0.5);
    push(aggregator, [1, 1], 1);
    expect(aggregator.learningRate).toBeCloseTo(0.05, 12);
    push(aggregator, [1, 1], 10);
    expect(aggregator.learningRate).toBeCloseTo(0.005, 12);
  });
});

describe('the weight decay', () => {
  it('[A10] adds wd·θ to each gradient; to the mean of a round, once', () => {
    const one = asgdOf([2, 4], { weightDecay: 0.5 });
    push(one, [1, 1]);
    expect([...one.theta]).toEqual([2 - 0.5 * (1 + 1), 4 - 0.5 * (1 + 2)]);
    const many = new Aggregator({
      method: ssgd,
      config: configOf({ weightDecay: 0.5 }),
      theta: Float32Array.of(2),
      samplesPerEpoch: 10,
    });
    const sent = [many.pull('a'), many.pull('b')];
    const crowd = [{ outstanding: 1 }, alone];
    sent.forEach((one, i) => {
      many.push({ worker: 'ab'[i]!, sent: one, vector: Float32Array.of(1), samples: 3, nowMs: 0 }, crowd[i]!);
    });
    expect([...many.theta]).toEqual([2 - 0.5 * (1 + 1)]);
  });
});

describe('vectors that were sent', () => {
  const fill = (value: number) => (out: Float32Array) => void out.fill(value);

  it('[T4] workers at one version share one', () => {
    const vectors = new SentVectors(3, 'f32');
    const a = vectors.hold('1', 1, fill(7));
    const b = vectors.hold('1', 1, fill(8));
    expect(b).toBe(a);
    expect([...a.vector]).toEqual([7, 7, 7]);
    expect(vectors.count).toBe(1);
  });

  it('[T4] one is kept until its last holder lets go, and then its memory is used again', () => {
    const vectors = new SentVectors(3, 'f32');
    const [first, again] = [vectors.hold('1', 1, fill(1)), vectors.hold('1', 1, fill(1))];
    vectors.release(first);
    expect(vectors.count).toBe(1);
    const second = vectors.hold('2', 2, fill(2));
    expect([...again.vector]).toEqual([1, 1, 1]);
    expect(second.vector).not.toBe(first.vector);
    vectors.release(again);
    expect(vectors.count).toBe(1);
    expect(vectors.hold('3', 3, fill(3)).vector).toBe(first.vector);
    expect([...second.vector]).toEqual([2, 2, 2]);
  });

  it('[T4] under any order of holding and letting go, what is held is never overwritten', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(100)), { maxLength: 150 }), (steps) => {
        const vectors = new SentVectors(4, 'f32');
        const held: Sent[] = [];
        let version = 0;
        for (const [take, pick] of steps) {
          if (take) {
            if (pick % 3 === 0) version += 1;
            held.push(vectors.hold(String(version), version, fill(version)));
          } else if (held.length > 0) vectors.release(held.splice(pick % held.length, 1)[0]!);
          for (const sent of held) expect([...sent.vector]).toEqual(Array(4).fill(sent.version));
          expect(vectors.count).toBe(new Set(held.map((sent) => sent.version)).size);
        }
      }),
    );
  });

  it('[T4] a run keeps as many as there are versions that leases are open on, and none at the end', () => {
    const run = new Run({ setup: tinyRun(asgd, { config: { epochs: 5 } }) }, 0);
    const random = rng(1);
    const open: string[] = [];
    run.handle({ type: 'join', run: RUN, worker: asWorkerId('a'), name: '', device: DEVICE }, 0);
    run.handle({ type: 'join', run: RUN, worker: asWorkerId('b'), name: '', device: DEVICE }, 0);
    for (let i = 0; i < 150; i++) {
      const worker = asWorkerId('ab'[random.below(2)]!);
      const lease = run.desk.leases.of(worker)[0];
      if (random.below(2) === 0) run.handle({ type: 'pull', run: RUN, worker, request: i }, i);
      else if (lease) {
        const vector = new Float32Array(6).fill(0.01);
        const about = { lease: lease.id, vector, loss: 1, samples: lease.item.samples, wantsNext: false };
        run.handle({ type: 'push', run: RUN, worker, request: i, ...about }, i);
      }
      const versions = new Set(run.desk.leases.all().map(({ sent }) => sent.version));
      expect(run.aggregator.sentVectors).toBe(versions.size);
      open.push(String(versions.size));
    }
    expect(open).toContain('2');
    run.handle({ type: 'operator', run: RUN, command: 'stop' }, 200);
    expect(run.aggregator.sentVectors).toBe(0);
  });
});

describe('state', () => {
  const tree = (): State => ({ n: 3, v: Float32Array.of(1, 2), deep: { m: 4, w: Float32Array.of(5) } });

  it('[T7] a copy shares nothing with what it was made from', () => {
    const live = tree();
    const saved = cloneState(live);
    (live.v as Float32Array)[0] = 9;
    ((live.deep as State).w as Float32Array)[0] = 9;
    live.n = 9;
    expect(saved).toEqual(tree());
  });

  it('[T7] restoring changes the live tree in place: its vectors stay the same objects', () => {
    const live = tree();
    const { v, deep } = live;
    const w = (deep as State).w;
    const saved = cloneState(live);
    (v as Float32Array).fill(0);
    live.n = 0;
    live.extra = 1;
    (deep as State).m = 0;
    restoreState(live, saved);
    expect(live).toEqual(tree());
    expect(live.v).toBe(v);
    expect((live.deep as State).w).toBe(w);
    (saved.v as Float32Array).fill(7);
    expect(live).toEqual(tree());
  });

  it('[T7] what is there on one side only is dropped or brought in', () => {
    const live: State = { gone: 1, other: { a: Float32Array.of(1) } };
    restoreState(live, { came: { b: Float32Array.of(2) }, other: Float32Array.of(3, 4) });
    expect(live).toEqual({ came: { b: Float32Array.of(2) }, other: Float32Array.of(3, 4) });
  });
});
