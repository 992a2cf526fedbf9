// Honest fleets under all the defences: nobody is banned, and little is lost; and those that lie are found, whatever carries
// their pushes.

import { describe, expect, it } from 'vitest';
import { FLEETS, HETEROGENEOUS, VOLUNTEERS, type Fleet } from '../../server/sim/fleet.ts';
import { runSchema, type Defences } from '../../shared/config.ts';
import { replay, run, RUN, scenarioOf } from './rig.ts';

/** A run's own, but for going back: the curves of so small a problem jump. */
const { defences } = runSchema.parse({
  ...{ id: 'any', name: 'any', dataset: 'digits', model: { name: 'softmax' } },
  method: { name: 'asgd', learningRate: 1 },
});
const DEFENDED: Defences = { ...defences, rollback: null };
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

describe('an honest fleet', () => {
  it.each<[string, string, number]>([
    ['asgd', 'heterogeneous', 8],
    ['dana-ga', 'heterogeneous', 8],
    ['asgd', 'heterogeneous', 2],
    ['asgd', 'volunteers', 8],
    ['fedbuff', 'volunteers', 8],
  ])('[G4] [G6] %s, %s, %i workers: nobody is banned, in 20 seeds', async (name, kind, workers) => {
    const fleet = FLEETS.find((one) => one.name === kind)!;
    const ends = await Promise.all(
      SEEDS.map(async (seed) => {
        const scenario = scenarioOf(name, { fleet, workers, seed, epochs: 12, defences: DEFENDED });
        const { row, log } = await run(scenario);
        const checks = log.filter(({ event }) => event.type === 'recomputed').length;
        return { end: row.end, banned: row.bans.honest, checked: checks > 0 };
      }),
    );
    expect(ends).toEqual(SEEDS.map(() => ({ end: 'finished', banned: 0, checked: true })));
  });

  it('[G2] [G3] loses little by being defended', async () => {
    const lossOf = async (more: object): Promise<number> => {
      const losses = await Promise.all(
        SEEDS.slice(0, 5).map(async (seed) => {
          const { row } = await run(scenarioOf('asgd', { fleet: HETEROGENEOUS, seed, epochs: 30, ...more }));
          return row.finalLoss!;
        }),
      );
      return losses.reduce((a, b) => a + b) / losses.length;
    };
    const [free, defended] = [await lossOf({}), await lossOf({ defences: DEFENDED })];
    expect(defended / free).toBeLessThan(1.03);
  });

  it('[T5] a defended run has the same bits when it is run again', async () => {
    const scenario = scenarioOf('asgd', { fleet: VOLUNTEERS, epochs: 5, defences: DEFENDED });
    const [first, second] = [await run(scenario), await run(scenario)];
    expect(second.theta).toEqual(first.theta);
    expect(second.row).toEqual(first.row);
  });
});

describe('a fleet with liars', () => {
  it.each(['asgd', 'fedbuff', 'diloco'])(
    '[G4] [G6] [G7] %s: those that turn their pushes round are banned',
    async (name) => {
      const local = name === 'asgd' ? {} : { localSteps: 2 };
      const method = { name, learningRate: 0.05, weightDecay: 0, schedule: {}, ...local };
      const fleet: Fleet = { ...HETEROGENEOUS, byzantine: [{ fault: 'sign-flip', workers: 2 }] };
      const ran = await run(scenarioOf(name, { method, fleet, epochs: 60, defences: DEFENDED }));
      expect(ran.row).toMatchObject({ end: 'finished', bans: { lying: 2, honest: 0 } });
    },
  );

  /** An inner optimizer with a memory makes leases that nobody can compute again. */
  it.each<[string, object, number]>([
    ['asgd', {}, 2],
    ['diloco', { localSteps: 2, innerOptimizer: 'sgd' }, 2],
    ['diloco', { localSteps: 2, innerOptimizer: 'adamw' }, 0],
  ])(
    '[G6] [R6] %s %o: of those that lie about their loss alone %i are banned, and the curve stands',
    async (name, own, lying) => {
      const method = { name, learningRate: 0.05, weightDecay: 0, schedule: {}, ...own };
      const fleet: Fleet = { ...HETEROGENEOUS, byzantine: [{ fault: 'false-loss', workers: 2 }] };
      const ran = await run(scenarioOf(name, { method, fleet, epochs: 60, defences: DEFENDED }));
      expect(ran.row).toMatchObject({ end: 'finished', bans: { lying, honest: 0 } });
      const { points } = replay(ran.log).metrics(RUN, 0);
      expect(points.length).toBeGreaterThan(10);
      const highest = Math.max(...points.map(({ trainLoss }) => trainLoss ?? 0));
      expect(highest).toBeLessThan(5 * Math.LN2); // that of guessing one of two
    },
  );
});
