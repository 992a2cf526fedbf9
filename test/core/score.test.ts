// The score that speaks for a ban, by cosines made by hand.

import { describe, expect, it } from 'vitest';
import { Records } from '../../server/core/defence/records.ts';
import { knownByHeart, Score } from '../../server/core/defence/score.ts';
import { rng } from '../../shared/rng.ts';

const everyone = { counts: (): boolean => true, byHeart: (): boolean => false };

describe('the score', () => {
  const OPTIONS = { below: 0.25, window: 40, least: 12 };
  /** Cosines in turn, one of each worker. The first judgement that speaks for a ban, and when. */
  const scored = (of: Record<string, (turn: number) => number>, turns = 60) => {
    const records = new Records();
    const score = new Score(OPTIONS, records, everyone);
    for (let turn = 0; turn < turns; turn++) {
      for (const [worker, cosine] of Object.entries(of)) {
        const judgement = score.saw(worker, records.touch(worker), cosine(turn));
        if (judgement) return { worker, turn, judgement };
      }
    }
    return null;
  };
  const noisy = (mean: number, seed: string) => {
    const random = rng(seed);
    return (): number => Math.max(-1, Math.min(1, mean + 0.1 * random.normal()));
  };
  const honest = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, noisy(0.3, name)]));

  it('[G4] finds whoever pushes against the gradient, after twice twelve pushes', () => {
    expect(scored({ ...honest, x: noisy(-0.3, 'x') })).toMatchObject({ worker: 'x', turn: 23 });
  });

  it('[G4] finds whoever pushes across it', () => {
    const found = scored({ ...honest, x: noisy(0, 'x') });
    expect(found).toMatchObject({ worker: 'x' });
    expect(found!.turn).toBeLessThan(40);
    expect(found!.judgement.others).toBeCloseTo(0.3, 1);
  });

  it('[G4] judges nobody where the samples are known by heart, and goes on when they are not', () => {
    const records = new Records();
    let heldOut = 0.41;
    const score = new Score(OPTIONS, records, { ...everyone, byHeart: () => knownByHeart({ workers: 0.1, heldOut }) });
    const fleet = { ...honest, x: noisy(-0.3, 'x') };
    const turn = (): unknown =>
      Object.entries(fleet).flatMap(([worker, cosine]) => score.saw(worker, records.touch(worker), cosine()) ?? []);
    for (let i = 0; i < 200; i++) expect(turn()).toEqual([]);
    expect(records.find('x')).toMatchObject({ doubted: false });
    heldOut = 0.4;
    const found = Array.from({ length: 60 }, turn).findIndex((judgements) => (judgements as unknown[]).length > 0);
    expect(found).toBeGreaterThan(0);
  });

  it('[G4] knows by heart what is learnt four times better than what is held out', () => {
    expect(knownByHeart({ workers: 0.1, heldOut: 0.4 })).toBe(false);
    expect(knownByHeart({ workers: 0.1, heldOut: 0.41 })).toBe(true);
    expect(knownByHeart({ workers: 0, heldOut: 0.01 })).toBe(true);
    expect(knownByHeart({ workers: null, heldOut: 0.4 })).toBe(false);
    expect(knownByHeart({ workers: 0.1, heldOut: null })).toBe(false);
  });

  it('[G4] does not judge fewer than twelve', () => {
    expect(scored({ ...honest, x: () => -1 }, 11)).toBeNull();
  });

  it('[G4] finds nobody among honest workers, however noisy their pushes, in 200 fleets', () => {
    for (let seed = 0; seed < 200; seed++) {
      const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, noisy(0.1, `${name}${seed}`)]));
      expect(scored(fleet, 60)).toBeNull();
    }
  });

  it('[G4] nor in a run that has converged, where cosines are noise, however long it goes on', () => {
    for (let seed = 0; seed < 20; seed++) {
      const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, noisy(0.02, `${name}${seed}`)]));
      expect(scored(fleet, 1000)).toBeNull();
    }
  });

  it('[G4] nor where the others hardly follow the gradient themselves, however clearly one goes against it', () => {
    const steady = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, (): number => 0.19]));
    expect(scored({ ...steady, x: noisy(-0.3, 'x') })).toBeNull();
    const surer = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, (): number => 0.21]));
    expect(scored({ ...surer, x: noisy(-0.3, 'x') })).toMatchObject({ worker: 'x' });
  });

  it('[G4] forgives one judgement when the next forty pushes speak for the worker, and takes its trust meanwhile', () => {
    const records = new Records();
    const score = new Score(OPTIONS, records, everyone);
    const random = rng('a bad hour');
    const x = records.touch('x');
    const judge = (turns: number, mean: number): unknown[] => {
      const told: unknown[] = [];
      for (let turn = 0; turn < turns; turn++) {
        for (const name of ['a', 'b', 'c']) score.saw(name, records.touch(name), 0.3 + 0.05 * random.normal());
        x.trial += 1;
        told.push(score.saw('x', x, mean + 0.05 * random.normal()));
      }
      return told.filter((one) => one !== null);
    };
    expect(judge(12, -0.3)).toEqual([]);
    expect(x).toMatchObject({ doubted: true, trial: 0 });
    expect(judge(40, 0.3)).toEqual([]);
    expect(x.doubted).toBe(false);
    expect(judge(60, -0.3).length).toBeGreaterThan(0);
  });

  it('[G4] compares with what others push meanwhile: a run that converges has nobody banned', () => {
    const random = rng('converging');
    const records = new Records();
    const score = new Score(OPTIONS, records, everyone);
    for (let push = 0; push < 3000; push++) {
      // one pushes as often as all five others
      const worker = push % 2 === 0 ? 'fast' : `slow${(push >> 1) % 5}`;
      const cosine = 0.9 * Math.exp(-push / 300) + 0.02 * random.normal() + 0.02;
      expect(score.saw(worker, records.touch(worker), cosine)).toBeNull();
    }
  });

  it('[G4] compares at the same time: a slow worker whose window goes back to where θ swung is not banned', () => {
    const random = rng('swinging');
    const records = new Records();
    const score = new Score(OPTIONS, records, everyone);
    for (let push = 0; push < 900; push++) {
      // all go astray between the 100th and the 500th push: for the slow one that is most of its window
      const worker = push % 15 === 0 ? 'slow' : `fast${push % 5}`;
      const cosine = (push >= 100 && push < 500 ? -0.3 : 0.3) + 0.05 * random.normal();
      expect(score.saw(worker, records.touch(worker), cosine)).toBeNull();
    }
  });

  it('[G4] a slow liar is found as well as a fast one', () => {
    const records = new Records();
    const score = new Score(OPTIONS, records, everyone);
    const random = rng('slow liar');
    const found = Array.from({ length: 800 }, (_, push) => {
      const worker = push % 20 === 0 ? 'slow' : `fast${push % 5}`;
      const cosine = (worker === 'slow' ? -0.3 : 0.3) + 0.05 * random.normal();
      return score.saw(worker, records.touch(worker), cosine) && worker;
    });
    expect(found.indexOf('slow')).toBe(20 * 27); // its first had nobody to be compared with, every fourth is judged, and twice
    expect(found.filter((one) => one && one !== 'slow')).toEqual([]);
  });

  it('[G4] with fewer than three others bans only who is surely turned round', () => {
    expect(scored({ a: noisy(0.3, 'a'), x: noisy(0, 'x') })).toBeNull();
    expect(scored({ a: noisy(0.3, 'a'), x: noisy(-0.5, 'x') })).toMatchObject({
      worker: 'x',
      judgement: { others: null },
    });
    expect(scored({ alone: noisy(-0.08, 'alone') })).toBeNull();
  });

  it('[G4] bans nobody where all go against the trusted gradient: it is the gradient that is in doubt', () => {
    const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, noisy(-0.4, name)]));
    expect(scored(fleet)).toBeNull();
  });
});
