// Spot checks within a run: which pushes are computed again, and what comes of it, from outside.

import { describe, expect, it } from 'vitest';
import type { Defences } from '../../shared/config.ts';
import { RUN } from './driver.ts';
import { Defended } from './defended.ts';

describe('a spot check', () => {
  const always: Partial<Defences> = { spotChecks: { newcomer: 1, least: 1 } };
  const answer = (
    driver: Defended,
    result: { same: boolean | null; cosine: number; distance?: number; lossOff?: number },
  ): void => {
    const { check } = driver.of('recompute').at(-1)!;
    driver.send({ type: 'recomputed', run: RUN, check, distance: 0.5, lossOff: 0, ...result });
  };

  it('[G6] has the lease, what was sent, and what was pushed as it came, its loss too', () => {
    const driver = new Defended({ ...always, probation: { pushes: 12, weight: 0.2 } });
    driver.join('a');
    const held = driver.lease('a');
    const vector = Float32Array.of(1, 2, 3, 4, 5, 6);
    driver.push('a', held, { vector, loss: 1e9 });
    const [effect] = driver.of('recompute');
    expect(effect).toMatchObject({ worker: 'a', backend: 'wasm', lease: held.lease, pushedLoss: 1e9 });
    expect([effect!.params, effect!.pushed]).toEqual([held.params, vector]);
  });

  it('[G6] none of a push that was refused', () => {
    const driver = new Defended(always);
    driver.join('a');
    driver.push('a', driver.lease('a'), { vector: new Float32Array(6).fill(NaN) });
    expect(driver.of('recompute')).toEqual([]);
  });

  it('[G6] one that differs makes a newcomer of it, a second bans it, and one that could not be made is nothing', () => {
    const driver = new Defended({ ...always, probation: { pushes: 2, weight: 0.5 } });
    driver.join('a');
    for (let i = 0; i < 3; i++) {
      driver.push('a', driver.lease('a'));
      answer(driver, { same: i < 2 ? true : null, cosine: 0 });
    }
    expect(driver.row('a').standing).toMatchObject({ level: 'trusted', checked: 2, failed: 0 });
    driver.push('a', driver.lease('a'));
    answer(driver, { same: false, cosine: 0.9 });
    expect(driver.row('a').standing).toMatchObject({ level: 'newcomer', checked: 3, failed: 1 });
    driver.push('a', driver.lease('a'));
    answer(driver, { same: false, cosine: 0.9 });
    expect(driver.row('a').standing).toMatchObject({ level: 'banned', checked: 4, failed: 2 });
    answer(driver, { same: false, cosine: 0.9 }); // nobody waits for this one
    expect(driver.of('cut')).toHaveLength(1);
  });

  it('[G6] one that differs in its loss alone takes the worker’s word from it, and a second bans it', () => {
    const driver = new Defended(always);
    driver.join('a');
    for (let i = 0; i < 2; i++) {
      expect(driver.row('a').standing.level).toBe(i === 0 ? 'trusted' : 'newcomer');
      driver.push('a', driver.lease('a'), { loss: 1e6 });
      answer(driver, { same: false, cosine: 1, distance: 0, lossOff: 2e6 });
    }
    expect(driver.row('a').standing.banned).toMatch(/differ from what it pushed: .* loss off by 2.0e\+6 of it/);
  });
});
