// Liars against all the defences, as every run has them: promises 22 and 24 on logistic regression, 25 strangers of uneven
// speed, 3,000 pushes. `npm run experiments -- attacks` is the same on a network and real images.

import { beforeAll, describe, expect, it } from 'vitest';
import { ROLLBACKS_MAX } from '../../server/core/rollback.ts';
import type { FaultyWorkers } from '../../server/sim/byzantine.ts';
import { HOMOGENEOUS, MS_PER_SAMPLE, type Fleet } from '../../server/sim/fleet.ts';
import type { Scenario } from '../../server/sim/scenario.ts';
import { NO_DEFENCES, runSchema, type Defences } from '../../shared/config.ts';
import { run, scenarioOf, type Ran } from './rig.ts';

const WORKERS = 25;
const BATCH = 20;
const SAMPLES = 6000;
const EPOCHS = 10;
const SEEDS = [1, 2, 3];
const { defences } = runSchema.parse({
  ...{ id: 'any', name: 'any', dataset: 'digits', model: { name: 'softmax' } },
  method: { name: 'asgd', learningRate: 1 },
});
const STRANGERS: Fleet = {
  ...HOMOGENEOUS,
  name: 'strangers',
  machines: { kind: 'log-normal', sigma: 0.4 },
  leasesPerWorker: 2,
};
/** Half of the run, and the first fifty pushes of five workers, in virtual time. */
const HALF_MS = (0.5 * EPOCHS * SAMPLES * MS_PER_SAMPLE) / WORKERS;
const FIFTY_PUSHES_MS = 10 * BATCH * MS_PER_SAMPLE;

const attacked = (byzantine: FaultyWorkers[], more: Partial<Fleet> = {}, by: Defences = defences): Promise<Ran[]> =>
  Promise.all(
    SEEDS.map((seed) => {
      const scenario: Partial<Scenario> = {
        ...{ workers: WORKERS, seed, batchSize: BATCH, epochs: EPOCHS, defences: by, evaluateEveryVersions: 200 },
        method: { name: 'gap-aware', learningRate: 0.1, momentum: 0.9, weightDecay: 0, schedule: {} },
        problem: { kind: 'logistic', features: 8, samples: SAMPLES },
        fleet: { ...STRANGERS, byzantine, ...more },
      };
      return run(scenarioOf('gap-aware', scenario));
    }),
  );
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const accuracy = (ran: readonly Ran[]): number => 100 * mean(ran.map(({ row }) => row.finalAccuracy!));
const liars = (part: number, fault: FaultyWorkers['fault'], more: Partial<FaultyWorkers> = {}): FaultyWorkers[] => [
  { fault, workers: part * WORKERS, ...more },
];
const lying = (ran: readonly Ran[]): number => mean(ran.map(({ row }) => row.bans.lying));
const honest = (ran: readonly Ran[]): number[] => ran.map(({ row }) => row.bans.honest);

let clean: number;
beforeAll(async () => {
  clean = accuracy(await attacked([], {}, NO_DEFENCES));
}, 60_000);

describe('[P22] liars among 25 workers', { timeout: 60_000 }, () => {
  it('cost a run without defences its accuracy: there is something to defend', async () => {
    const loss = await attacked(liars(0.4, 'constant'), {}, NO_DEFENCES);
    expect(accuracy(loss)).toBeLessThan(clean - 5);
  });

  it('nobody lies: as good as without defences, and nobody is banned', async () => {
    const ran = await attacked([]);
    expect(accuracy(ran)).toBeGreaterThan(clean - 1.5);
    expect(honest(ran)).toEqual([0, 0, 0]);
  });

  it.each<[number, FaultyWorkers['fault'], number]>([
    [0.2, 'sign-flip', 1.5],
    [0.2, 'times-ten', 1.5],
    [0.2, 'constant', 1.5],
    [0.2, 'label-flip', 1.5],
    [0.2, 'nan', 1.5],
    [0.4, 'sign-flip', 5],
    [0.4, 'constant', 5],
    [0.4, 'label-flip', 5],
  ])(
    '%f %s: within %f points, nine of ten banned within 40 of their pushes, no honest one',
    async (part, fault, points) => {
      const ran = await attacked(liars(part, fault));
      expect(accuracy(ran)).toBeGreaterThan(clean - points);
      expect(lying(ran)).toBeGreaterThanOrEqual(0.9 * part * WORKERS);
      const pushes = ran.flatMap(({ row }) => row.bans.pushes).sort((a, b) => a - b);
      expect(pushes[Math.ceil(0.9 * pushes.length) - 1]).toBeLessThanOrEqual(40);
      expect(honest(ran)).toEqual([0, 0, 0]);
    },
  );

  it.each<FaultyWorkers['fault']>(['constant', 'sign-flip'])(
    '0.4 that turn to %s at half-time: within 3 points',
    async (fault) => {
      const ran = await attacked(liars(0.4, fault, { fromMs: HALF_MS }));
      expect(accuracy(ran)).toBeGreaterThan(clean - 3);
      expect(honest(ran)).toEqual([0, 0, 0]);
    },
  );
});

describe('[G8] two fifths that turn constant at half-time, against nothing but roll-back', { timeout: 60_000 }, () => {
  it('are gone back from, until somebody must look at it: most of what they ruin without is kept', async () => {
    const turned = liars(0.4, 'constant', { fromMs: HALF_MS });
    const ruined = await attacked(turned, {}, NO_DEFENCES);
    const ran = await attacked(turned, {}, { ...NO_DEFENCES, rollback: defences.rollback });
    expect(ruined.map(({ row }) => row.rollbacks)).toEqual([0, 0, 0]);
    expect(ran.map(({ row }) => row.rollbacks)).toEqual(SEEDS.map(() => ROLLBACKS_MAX));
    expect(ran.map(({ row }) => row.end)).toEqual(SEEDS.map(() => 'stalled'));
    const loss = (rows: readonly Ran[]): number => mean(rows.map(({ row }) => row.finalLoss!));
    expect(loss(ran)).toBeLessThan(0.2 * loss(ruined));
  });
});

describe('[P24] a run whose first fifty pushes are all from liars', { timeout: 60_000 }, () => {
  it.each<FaultyWorkers['fault']>(['constant', 'sign-flip', 'times-ten'])(
    '%s: no loss is a tenth above the first, nothing more than 50 versions old is gone back to, and it ends as good',
    async (fault) => {
      const ran = await attacked(liars(0.2, fault), { honestAfterMs: FIFTY_PUSHES_MS });
      for (const { row, log } of ran) {
        expect(row.worstLossRatio).toBeLessThanOrEqual(1.1);
        const measured = log.flatMap(({ event }) => (event.type === 'evaluated' ? [event.version] : []));
        const steps = measured
          .filter((version) => version <= 200)
          .map((version, i, all) => version - (all[i - 1] ?? 0));
        expect(Math.max(...steps)).toBeLessThanOrEqual(50);
      }
      expect(accuracy(ran)).toBeGreaterThan(0.98 * clean);
    },
  );
});
