// The inner steps of a lease against their equations in doubles, on a quadratic whose gradient is x itself.

import { describe, expect, it } from 'vitest';
import { InnerLoop } from '../../shared/inner.ts';
import type { LocalWork } from '../../shared/protocol/lease.ts';

const BASE = Float32Array.of(1, -2, 0.5);
const ETA = 0.1;
const DECAY = 0.01;
const STEPS = 6;

const work = (more: Partial<LocalWork> = {}): LocalWork => ({
  kind: 'local',
  optimizer: { name: 'sgd' },
  learningRate: ETA,
  weightDecay: DECAY,
  seed: 1,
  ...more,
});

/** gradient = x, loss = the batch's number, each batch of two samples. */
const quadratic = async (theta: Float32Array, batch: number, out: Float32Array) => {
  out.set(theta);
  return Promise.resolve({ loss: batch, samples: 2 });
};

/** Where x is after a lease: θ_base − Δ. */
async function after(loop: InnerLoop, what: LocalWork, steps = STEPS, base = BASE): Promise<number[]> {
  const { delta } = await loop.run(what, base, steps, quadratic);
  return Array.from(delta, (d, i) => base[i]! - d);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 5));
}

describe('inner steps', () => {
  it('come back as θ_base − θ_local, with the mean loss and all the samples; θ_base is not changed', async () => {
    const { delta, loss, samples } = await new InnerLoop(3).run(work(), BASE, 4, quadratic);
    expect([loss, samples]).toEqual([1.5, 8]);
    expect([...BASE]).toEqual([1, -2, 0.5]);
    expect(delta[0]).toBeGreaterThan(0);
    expect(delta[1]).toBeLessThan(0);
  });

  it('of SGD: x ← x − η(g + wd·x)', async () => {
    expectClose(await after(new InnerLoop(3), work()), [...BASE].map((x) => x * (1 - ETA * (1 + DECAY)) ** STEPS)); // prettier-ignore
  });

  it('of momentum keep their velocity from lease to lease', async () => {
    const optimizer = { name: 'momentum', momentum: 0.9 } as const;
    const loop = new InnerLoop(3);
    let v = [0, 0, 0];
    for (let lease = 0; lease < 3; lease++) {
      let x: number[] = [...BASE];
      for (let step = 0; step < STEPS; step++) {
        v = v.map((y, i) => 0.9 * y + (1 + DECAY) * x[i]!);
        x = x.map((y, i) => y - ETA * v[i]!);
      }
      expectClose(await after(loop, work({ optimizer })), x);
    }
  });

  it('of AdamW keep both means and the count of steps, and decay apart from the gradient', async () => {
    const optimizer = { name: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8 } as const;
    const loop = new InnerLoop(3);
    let [t, m, v] = [0, [0, 0, 0], [0, 0, 0]];
    for (let lease = 0; lease < 3; lease++) {
      let x: number[] = [...BASE];
      for (let step = 0; step < STEPS; step++) {
        t += 1;
        m = m.map((y, i) => 0.9 * y + 0.1 * x[i]!);
        v = v.map((y, i) => 0.99 * y + 0.01 * x[i]! ** 2);
        const root = v.map((y) => Math.sqrt(y / (1 - 0.99 ** t)) + 1e-8);
        x = x.map((y, i) => y - ETA * DECAY * y - (ETA * (m[i]! / (1 - 0.9 ** t))) / root[i]!);
      }
      expectClose(await after(loop, work({ optimizer })), x);
    }
  });

  it('forget what another optimizer remembered', async () => {
    const momentum = { name: 'momentum', momentum: 0.9 } as const;
    const adamw = { name: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8 } as const;
    const used = new InnerLoop(3);
    for (const optimizer of [momentum, adamw, momentum]) await after(used, work({ optimizer }));
    await after(used, work({ optimizer: adamw }));
    const fresh = await after(new InnerLoop(3), work({ optimizer: momentum }));
    expect(await after(used, work({ optimizer: momentum }))).toEqual(fresh);
  });

  it('clip a longer gradient to the norm, and leave a shorter one alone', async () => {
    const norm = Math.hypot(...BASE);
    const clipped = await after(new InnerLoop(3), work({ weightDecay: 0, clipNorm: norm / 2 }), 1);
    expectClose(clipped, [...BASE].map((x) => x * (1 - ETA / 2))); // prettier-ignore
    const whole = await after(new InnerLoop(3), work({ weightDecay: 0, clipNorm: 2 * norm }), 1);
    expectClose(whole, [...BASE].map((x) => x * (1 - ETA))); // prettier-ignore
  });
});

describe('mixing', () => {
  it('pulls x back towards θ_base, p/(1−p) times a step on average, and steps with η/(1−p) between', async () => {
    const probability = 0.25;
    let gradients = 0;
    let pulls = 0;
    let last: number | null = null;
    const steps = 4000;
    // A gradient of 0 but for the first: then only pulls move x, each by the factor 1 − (η/p)·rate.
    const counting = async (theta: Float32Array, batch: number, out: Float32Array) => {
      if (last !== null && theta[0] !== last) pulls += Math.round(Math.log((1 - theta[0]!) / (1 - last)) / Math.log(1 - (1e-4 / probability) * 2)); // prettier-ignore
      last = theta[0]!;
      out.fill(batch === 0 ? 1e3 : 0);
      if (batch === 0) last = null;
      else if (batch === 1) last = theta[0]!;
      gradients += 1;
      return Promise.resolve({ loss: 0, samples: 1 });
    };
    const what = work({ learningRate: 1e-4, weightDecay: 0, mixing: { probability, rate: 2 } });
    const { delta } = await new InnerLoop(1).run(what, Float32Array.of(1), steps, counting);
    expect(gradients).toBe(steps);
    expect(pulls / steps).toBeCloseTo(probability / (1 - probability), 1);
    const first = (1e-4 / (1 - probability)) * 1e3;
    expect(delta[0]! / first).toBeCloseTo((1 - (1e-4 / probability) * 2) ** pulls, 1);
  });

  it('is drawn from the seed', async () => {
    const mixing = { probability: 0.5, rate: 1 };
    const one = await after(new InnerLoop(3), work({ mixing, seed: 1 }), 20);
    expect(await after(new InnerLoop(3), work({ mixing, seed: 1 }), 20)).toEqual(one);
    expect(await after(new InnerLoop(3), work({ mixing, seed: 2 }), 20)).not.toEqual(one);
  });
});

describe('an elastic worker', () => {
  it('keeps its own x from lease to lease, drawn towards the centre at the start of each', async () => {
    const loop = new InnerLoop(3);
    const what = work({ weightDecay: 0, elastic: { rate: 0.25 } });
    let x: number[] = [...BASE].map((value) => value * (1 - ETA) ** STEPS);
    expectClose(await after(loop, what), x);
    const centre = Float32Array.of(4, 4, 4);
    x = x.map((value) => (value - 0.25 * (value - 4)) * (1 - ETA) ** STEPS);
    expectClose(await after(loop, what, STEPS, centre), x);
  });

  it('begins anew from θ when it was given other work meanwhile', async () => {
    const loop = new InnerLoop(3);
    const what = work({ weightDecay: 0, elastic: { rate: 0.25 } });
    const first = await after(loop, what);
    await after(loop, work({ weightDecay: 0 }));
    expect(await after(loop, what)).toEqual(first);
  });
});
