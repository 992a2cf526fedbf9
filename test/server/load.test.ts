// When the coordinator has too much to do, and what it asks for then: by numbers, a figure a second.

import { describe, expect, it } from 'vitest';
import { CALM_PART, CALM_SECONDS, LEVEL_MAX, Load, OVER_SECONDS, PAGES_PART } from '../../server/host/load.ts';

const OVER_MS = 250;
const CALM_MS = CALM_PART * OVER_MS;

const seconds = (load: Load, count: number, delayMs: number): boolean[] =>
  Array.from({ length: count }, () => load.second(delayMs, delayMs));

describe('too much to do', () => {
  it('[N7] begins after some seconds in a row, not with one', () => {
    const load = new Load(OVER_MS);
    expect(seconds(load, OVER_SECONDS - 1, OVER_MS)).not.toContain(true);
    expect(seconds(load, 1, 0)).toEqual([false]);
    expect(seconds(load, OVER_SECONDS - 1, OVER_MS)).not.toContain(true);
    expect([load.shedding, load.problem()]).toEqual([false, null]);
    expect(load.second(OVER_MS, 300)).toBe(true);
    expect(load.shedding).toBe(true);
    expect(load.problem()).toMatchObject({ kind: 'overload', forMs: 1000 });
    expect(load.problem()!.text).toContain('300 ms late');
  });

  it('[N7] asks for longer waits and shows pages less often while it lasts, up to a bound', () => {
    const load = new Load(OVER_MS);
    const asked: number[] = [];
    for (let i = 0; i < 3 * LEVEL_MAX; i++) {
      seconds(load, OVER_SECONDS, 2 * OVER_MS);
      asked.push(load.retryAfterMs(0.5));
    }
    expect(asked.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(load.level).toBe(LEVEL_MAX);
    expect(load.pace).toBe(16);
    expect([load.retryAfterMs(0), load.retryAfterMs(1)]).toEqual([22_500, 37_500]);
  });

  it('[N7] stays as it is between the two thresholds, and ends a step at a time', () => {
    const load = new Load(OVER_MS);
    seconds(load, 2 * OVER_SECONDS, OVER_MS);
    expect(load.level).toBe(2);
    seconds(load, 100, CALM_MS);
    expect(load.level).toBe(2);
    expect(load.problem()!.forMs).toBe(1000 * (100 + OVER_SECONDS + 1));
    expect(seconds(load, CALM_SECONDS, CALM_MS - 1)).not.toContain(true);
    expect([load.level, load.pace]).toEqual([1, 8]);
    expect(seconds(load, CALM_SECONDS, 0)).toEqual([...Array<boolean>(CALM_SECONDS - 1).fill(false), true]);
    expect([load.shedding, load.problem(), load.pace]).toEqual([false, null, 4]);
    seconds(load, 2 * CALM_SECONDS, 0);
    expect(load.pace).toBe(1);
  });

  it('[N7] slows pages first: from half of what is too late on, and each second more', () => {
    const load = new Load(OVER_MS);
    const paces = Array.from({ length: 5 }, () => {
      load.second(PAGES_PART * OVER_MS, 0);
      return load.pace;
    });
    expect([...paces, load.shedding]).toEqual([2, 4, 8, 16, 16, false]);
    const workers = new Load(OVER_MS);
    seconds(workers, OVER_SECONDS - 1, OVER_MS);
    expect([workers.pace, workers.shedding]).toEqual([4, false]);
    seconds(workers, CALM_SECONDS, 0);
    expect(workers.pace).toBe(2);
  });
});
