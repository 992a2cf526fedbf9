// The simulator as a whole: the real machines under virtual time, whatever the network and the fleet do.

import { expect, test } from 'vitest';
import { HETEROGENEOUS, HOMOGENEOUS, VOLUNTEERS, type Fleet } from '../../server/sim/fleet.ts';
import type { PERFECT_NETWORK } from '../../server/sim/network.ts';
import { randomFleet } from '../../server/sim/randomfleet.ts';
import { longTable } from '../../server/sim/report/table.ts';
import { methods, replay, replaying, run, RUN, SAMPLES, scenarioOf, type Ran } from './rig.ts';

/** Every epoch's samples are counted, each exactly once, and nothing is still out. */
function expectExactlyOnce({ row, log }: Ran, epochs: number): void {
  const accounts = replay(log).ledger(RUN);
  expect(accounts).toEqual(Array.from({ length: epochs }, (_, epoch) => ({ epoch, leased: 0, counted: SAMPLES })));
  expect(row.samples).toBe(epochs * SAMPLES);
}

test('the same scenario gives the same row, and another seed another', async () => {
  const scenario = scenarioOf('gap-aware', { fleet: VOLUNTEERS });
  const [a, b, c] = await Promise.all([run(scenario), run(scenario), run({ ...scenario, seed: 2 })]);
  expect(JSON.stringify(b.row)).toBe(JSON.stringify(a.row));
  expect(b.theta).toEqual(a.theta);
  expect(c.row.virtualTimeMs).not.toBe(a.row.virtualTimeMs);
  expect(c.theta).not.toEqual(a.theta);
});

test.each([2, 8, 32])('the papers’ setting with %i workers: the mean lag is N − 1', async (workers) => {
  const { row, log } = await run(scenarioOf('asgd', { workers, epochs: 20 }));
  // The first N pushes find the lags 0 … N − 1, as all began together: their mean is only half of it.
  const pushes = row.lags.reduce((sum, [, count]) => sum + count, 0);
  const lagSum = row.lags.reduce((sum, [lag, count]) => sum + lag * count, 0);
  expect((lagSum - (workers * (workers - 1)) / 2) / (pushes - workers)).toBeCloseTo(workers - 1, 0);
  expect(row.wastedSamples).toBe(0);
  expect(log.filter(({ event }) => event.type === 'pull')).toHaveLength(workers); // every push brings the next lease
});

test('[A13] what GBA’s tokens leave out is counted, once, and wasted', async () => {
  const method = { name: 'gba', learningRate: 0.05, weightDecay: 0, schedule: {}, bufferSize: 2 };
  const gba = (maxStaleness: number): Promise<Ran> => {
    return run(scenarioOf('gba', { method: { ...method, maxStaleness }, fleet: HETEROGENEOUS, batchSize: 10 }));
  };
  const [strict, lenient] = await Promise.all([gba(0), gba(1000)]);
  for (const ran of [strict, lenient]) expectExactlyOnce(ran, 2);
  const late = [...replaying(strict.log)].flatMap(({ event, effects }) => {
    const unused = effects.some((effect) => effect.type === 'reply' && 'reason' in effect.reply && effect.reply.reason === 'past-token'); // prettier-ignore
    return event.type === 'push' && unused ? event.samples : [];
  });
  const samples = late.reduce((a, b) => a + b, 0);
  expect(samples).toBeGreaterThan(0);
  expect(strict.row).toMatchObject({ wastedSamples: samples, unusedSamples: samples, refused: {} });
  const percent = ((100 * samples) / (2 * SAMPLES)).toFixed(1); // of those computed, which are those counted
  expect(longTable([strict.row])).toMatch(new RegExp(`\\| ${percent} \\|$`));
  expect(lenient.row.wastedSamples).toBe(0);
  expect(lenient.row).not.toHaveProperty('unusedSamples');
});

test('with round-robin times every lag is exactly N − 1', async () => {
  const { row } = await run(scenarioOf('asgd', { fleet: { ...HOMOGENEOUS, taskVariation: 0 }, batchSize: 10 }));
  expect(row.lags.filter(([lag]) => lag > 7)).toEqual([]);
  expect(row.lags.at(-1)).toEqual([7, 2 * (SAMPLES / 10) - 7]);
});

test('a batch of B takes 10·B virtual milliseconds, and N workers are N times as fast', async () => {
  const fleet: Fleet = { ...HOMOGENEOUS, taskVariation: 0 };
  const [one, three] = await Promise.all(
    [1, 3].map((workers) => run(scenarioOf('asgd', { fleet, workers, batchSize: 13 }))),
  );
  expect(one!.row.virtualTimeMs).toBeCloseTo(2 * SAMPLES * 10, 6);
  expect(three!.row.virtualTimeMs).toBeCloseTo((2 * SAMPLES * 10) / 3, 6);
});

test('the curve has a point an epoch, and the loss falls', async () => {
  const { row } = await run(scenarioOf('asgd', { epochs: 6 }));
  expect(row.curve.map(({ epoch, samples }) => [epoch, samples])).toEqual(
    [1, 2, 3, 4, 5, 6].map((epoch) => [epoch, epoch * SAMPLES]),
  );
  expect(row.finalLoss).toBe(row.curve[5]!.loss);
  expect(row.finalLoss!).toBeLessThan(row.curve[0]!.loss!);
  expect(row.testLoss).toBeNull();
});

test('the test split is read only when asked for', async () => {
  const { row } = await run(scenarioOf('asgd', { finalTest: true }));
  expect(row.testLoss).toBeGreaterThan(0);
  expect(row.testLoss).not.toBe(row.finalLoss);
});

test('slower machines push less often, and find more lag', async () => {
  const { row } = await run(scenarioOf('asgd', { fleet: HETEROGENEOUS, epochs: 10 }));
  expect(row.lags.at(-1)![0]).toBeGreaterThan(14);
  expect(row.lags[0]![0]).toBeLessThan(5);
});

test('a recorded run replays to the same bits', async () => {
  const { log, theta, row } = await run(scenarioOf('dana-ga', { fleet: VOLUNTEERS, epochs: 4 }));
  const coordinator = replay(log);
  expect(new Uint8Array(coordinator.params(RUN).slice().buffer)).toEqual(new Uint8Array(theta.buffer));
  expect(coordinator.summary(RUN, 0).version).toBe(row.version);
});

const faulty = (changes: Partial<typeof PERFECT_NETWORK>): Fleet => ({
  ...VOLUNTEERS,
  churn: null,
  arriveWithinMs: 0,
  network: { ...VOLUNTEERS.network, ...changes },
});

test.each([
  ['lost', faulty({ loss: 0.1 })],
  ['doubled', faulty({ duplication: 0.3 })],
  ['overtaken', faulty({ reordering: 0.5, reorderMs: 5_000 })],
  ['cut off', faulty({ partitions: [{ fromMs: 1_000, untilMs: 15_000, share: 0.6 }] })],
])('every sample is counted once where messages are %s', async (_, fleet) => {
  expectExactlyOnce(await run(scenarioOf('gap-aware', { fleet, epochs: 20 })), 20);
});

test('a push that is sent again after its answer was lost is not counted again', async () => {
  const ran = await run(scenarioOf('asgd', { fleet: faulty({ loss: 0.1 }), epochs: 4 }));
  const leases = ran.log.flatMap(({ event }) => (event.type === 'push' ? [event.lease] : []));
  expect(new Set(leases).size).toBeLessThan(leases.length);
  expectExactlyOnce(ran, 4);
});

test('a push that comes after another has landed its work is refused, and its samples are counted once', async () => {
  // The half of the fleet that is cut off goes on computing; its work goes to others when it is overdue.
  const fleet = faulty({ partitions: [{ fromMs: 1_000, untilMs: 30_000, share: 0.5 }] });
  const ran = await run(scenarioOf('asgd', { fleet, workers: 16, epochs: 200 }));
  expect(ran.row.refused.superseded).toBeGreaterThan(0);
  expectExactlyOnce(ran, 200);
});

test('volunteers come and go, and nothing is lost with them', async () => {
  const fleet: Fleet = { ...VOLUNTEERS, arriveWithinMs: 0, churn: { stayMs: 2_000, awayMs: 500, crashes: 0.5 } };
  const ran = await run(scenarioOf('dana-zero', { fleet, epochs: 10 }));
  const kinds = new Set(ran.log.map(({ event }) => event.type));
  expect(kinds).toContain('leave');
  expect(ran.log.filter(({ event }) => event.type === 'join').length).toBeGreaterThan(20);
  expectExactlyOnce(ran, 10);
});

test('NaN never reaches θ, and the samples go to an honest worker', async () => {
  const fleet: Fleet = { ...HOMOGENEOUS, byzantine: [{ fault: 'nan', workers: 3 }] };
  const ran = await run(scenarioOf('dana-ga', { fleet, epochs: 4 }));
  expect(ran.theta.every(Number.isFinite)).toBe(true);
  expect(ran.row.refused['not-finite']).toBeGreaterThan(10);
  expect(ran.row.wastedSamples).toBeGreaterThan(0);
  expectExactlyOnce(ran, 4);
});

test('sign flips of a few are survived, of most are not', async () => {
  const loss = async (workers: number): Promise<number> => {
    const fleet: Fleet = { ...HOMOGENEOUS, byzantine: [{ fault: 'sign-flip', workers }] };
    return (await run(scenarioOf('asgd', { fleet, epochs: 20 }))).row.finalLoss!;
  };
  const [none, two, six] = await Promise.all([loss(0), loss(2), loss(6)]);
  expect(two).toBeLessThan(1.15 * none);
  expect(six).toBeGreaterThan(1.5 * none);
});

test('a fleet of liars alone comes to nothing, and that is said', async () => {
  const fleet: Fleet = { ...HOMOGENEOUS, byzantine: [{ fault: 'nan', workers: 8 }] };
  const { row } = await run(scenarioOf('asgd', { fleet }));
  expect(row.end).toBe('stalled');
  expect(row.samples).toBe(0);
});

test('an honest run that diverges is ended, and that is said', async () => {
  const method = { name: 'nag-asgd', learningRate: 0.5, momentum: 0.9, weightDecay: 0, schedule: {} };
  const problem = { kind: 'quadratic', curvatures: [1, 0.1], noise: 0.1, samples: 2000 } as const;
  const { row, theta } = await run(scenarioOf('nag-asgd', { method, problem, epochs: 40 }));
  expect(row.end).toBe('diverged');
  expect(theta.every(Number.isFinite)).toBe(true);
});

test.each([...methods.keys()])('%s runs to its end in a fleet of volunteers', async (name) => {
  const method = { name, learningRate: 0.01, weightDecay: 0, schedule: {} };
  const ran = await run(scenarioOf(name, { method, fleet: VOLUNTEERS, epochs: 10 }));
  expect(ran.row.end).toBe('finished');
  expect(ran.theta.every(Number.isFinite)).toBe(true);
});

const SEEDS = Array.from({ length: 24 }, (_, i) => i + 1);
const SOME = ['asgd', 'dana-zero', 'ssgd', 'gap-aware', 'staleness-aware'];

test.each(SEEDS)('whatever seed %i brings, every sample is counted once, and θ stays finite', async (seed) => {
  const workers = 2 + (seed % 7);
  const fleet = randomFleet(seed, workers);
  const ran = await run(scenarioOf(SOME[seed % SOME.length]!, { seed, workers, fleet, epochs: 3 }));
  expect(ran.theta.every(Number.isFinite)).toBe(true);
  expect(ran.row.end).toBe('finished');
  expectExactlyOnce(ran, 3);
  expect(replay(ran.log).params(RUN)).toEqual(ran.theta);
});
