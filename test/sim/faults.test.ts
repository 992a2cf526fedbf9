// Faults among simulated volunteers, from a seed and in virtual time: killed, cut off, repeated, late, and with wrong clocks.

import { expect, test } from 'vitest';
import type { Coordinator } from '../../server/core/coordinator.ts';
import { HOMOGENEOUS, type Fleet } from '../../server/sim/fleet.ts';
import { PERFECT_NETWORK, type NetworkProfile } from '../../server/sim/network.ts';
import type { Scenario } from '../../server/sim/scenario.ts';
import { RECONNECT } from '../../shared/volunteer/limits.ts';
import { replaying, run, RUN, scenarioOf, type Ran, type Recorded } from './rig.ts';

const SAMPLES = 2_000;
/** No noise: the loss depends on the updates alone. A batch of 100 takes a second. */
const PROBLEM = { kind: 'quadratic', curvatures: [1, 0.3], noise: 0, samples: SAMPLES } as const;
const REAL: Fleet = { ...HOMOGENEOUS, name: 'real', leasesPerWorker: 2, order: 'sharded' };
const network = (changes: Partial<NetworkProfile>): NetworkProfile => ({ ...PERFECT_NETWORK, ...changes });

function faulty(changes: Partial<Fleet>, scenario: Partial<Scenario> = {}): Scenario {
  const fleet = { ...REAL, network: network({ loss: 1e-9 }), ...changes }; // a network that may lose: real deadlines
  const method = { name: 'asgd', learningRate: 0.001, weightDecay: 0, schedule: {} };
  return scenarioOf('asgd', { method, problem: PROBLEM, batchSize: 100, workers: 10, epochs: 20, fleet, ...scenario });
}

function expectExactlyOnce({ log }: Ran, epochs: number): void {
  let last: Coordinator | undefined;
  for (const { coordinator } of replaying(log)) last = coordinator;
  const accounts = last!.ledger(RUN);
  expect(accounts).toEqual(Array.from({ length: epochs }, (_, epoch) => ({ epoch, leased: 0, counted: SAMPLES })));
}

/** Longest time in which the version stood still, once it had moved. */
function longestStallMs(log: readonly Recorded[]): number {
  let [version, sinceMs, longest] = [1, 0, 0];
  for (const { coordinator, nowMs } of replaying(log)) {
    const now = coordinator.summary(RUN, nowMs).version;
    if (now === version || now === 0) continue;
    if (version > 1) longest = Math.max(longest, nowMs - sinceMs);
    [version, sinceMs] = [now, nowMs];
  }
  return longest;
}

const workersOf = (log: readonly Recorded[]): Set<string> =>
  new Set(log.flatMap(({ event }) => (event.type === 'join' ? [event.worker] : [])));

test('[P1] [H9] [D1] work of killed workers is leased again within their soft deadline and a second', async () => {
  const ran = await run(faulty({ outages: [{ atMs: 10_500, share: 0.3, backAfterMs: 3_600_000 }] }, { epochs: 40 }));
  const killed = new Set(ran.log.flatMap(({ event }) => (event.type === 'away' ? [event.worker] : [])));
  expect(killed.size).toBeGreaterThanOrEqual(2);
  const lastHeardMs = Math.max(
    ...ran.log.flatMap(({ event, nowMs }) =>
      'worker' in event && killed.has(event.worker) && event.type === 'push' ? [nowMs] : [],
    ),
  );
  let held = 0;
  let reissued = { count: 0, atMs: 0 };
  for (const { coordinator, nowMs } of replaying(ran.log)) {
    const { leases, workers } = coordinator.view(RUN, 1e9, nowMs);
    if (nowMs > 13_000 && held === 0)
      held = workers.reduce((sum, row) => sum + (killed.has(row.id as never) ? row.leases : 0), 0);
    if (leases.reissued > reissued.count) reissued = { count: leases.reissued, atMs: nowMs };
  }
  expect(held).toBe(2 * killed.size);
  expect(reissued.count).toBe(held);
  expect(reissued.atMs - lastHeardMs).toBeLessThanOrEqual(15_000 + 1_000);
  expectExactlyOnce(ran, 40);
});

test('[P1] [H9] at the run’s end nobody waits for a killed worker', async () => {
  const killed = await run(faulty({ outages: [{ atMs: 39_500, share: 0.3, backAfterMs: 3_600_000 }] }));
  const calm = await run(faulty({}));
  expect(killed.log.filter(({ event }) => event.type === 'away').length).toBeGreaterThan(0);
  expect(killed.row.virtualTimeMs - calm.row.virtualTimeMs).toBeLessThan(6_000);
  expectExactlyOnce(killed, 20);
});

test.each(['asgd', 'ssgd'])(
  '[P2] half of forty killed at once and back after 10 s: %s does not stall',
  async (name) => {
    const method = { name, learningRate: 0.001, weightDecay: 0, schedule: {} };
    const outages = [{ atMs: 12_300, share: 0.5, backAfterMs: 10_000 }];
    const scenario = { method, workers: 40, epochs: 80 };
    const [killed, calm] = [await run(faulty({ outages }, scenario)), await run(faulty({}, scenario))];
    expect(killed.log.filter(({ event }) => event.type === 'away').length).toBeGreaterThanOrEqual(15);
    expect(longestStallMs(killed.log)).toBeLessThan(name === 'asgd' ? 3_000 : 20_000);
    expectExactlyOnce(killed, 80);
    if (name === 'ssgd') return; // fewer workers make more rounds of the same samples
    expect(killed.row.version).toBe(calm.row.version);
    expect(Math.abs(killed.row.finalLoss! / calm.row.finalLoss! - 1)).toBeLessThan(0.02);
  },
);

test('[P9] [L4] doubled, overtaking, lost and late messages: every sample is counted once', async () => {
  const worst = network({
    loss: 0.05,
    duplication: 0.2,
    reordering: 0.3,
    reorderMs: 4_000,
    delay: { kind: 'constant', ms: 50 },
  });
  const ran = await run(faulty({ network: worst }));
  const pushes = ran.log.flatMap(({ event }) => (event.type === 'push' ? [event.lease] : []));
  expect(pushes.length).toBeGreaterThan(1.2 * new Set(pushes).size);
  expectExactlyOnce(ran, 20);
});

test('[P14] [H8] [V27] a partition of 30 s on a slow and lossy line: the same workers go on, and no step is lost', async () => {
  const cut = { fromMs: 100_000, untilMs: 130_000, share: 0.5 };
  const line = network({ loss: 0.02, delay: { kind: 'constant', ms: 100 }, partitions: [cut] });
  const ran = await run(faulty({ network: line }, { batchSize: 1_000, epochs: 120 })); // ten seconds a step
  expect(workersOf(ran.log).size).toBe(10);
  const away = new Set(ran.log.flatMap(({ event }) => (event.type === 'away' ? [event.worker] : [])));
  expect(away.size).toBeGreaterThanOrEqual(2);
  const refused = [...replaying(ran.log)].flatMap(({ event, effects, nowMs }) => {
    const late = event.type === 'push' && away.has(event.worker) && nowMs >= cut.fromMs;
    return late
      ? effects.flatMap((effect) => (effect.type === 'reply' && 'outcome' in effect.reply && effect.reply.reason) || [])
      : [];
  });
  expect(refused).toEqual([]);
  for (const worker of away) {
    const after = ran.log.filter(
      ({ event, nowMs }) => 'worker' in event && event.worker === worker && nowMs >= cut.untilMs,
    );
    expect(after[0]!.nowMs - cut.untilMs).toBeLessThan(15_000 + RECONNECT.capMs); // a try that began in vain takes 15 s
    expect(after.some(({ event }) => event.type === 'join')).toBe(true);
  }
  expectExactlyOnce(ran, 120);
});

test('[P15] volunteers’ clocks that are an hour off change nothing', async () => {
  const fleet = { churn: { stayMs: 20_000, awayMs: 2_000, crashes: 0.5 } };
  const right = await run(faulty(fleet));
  const wrong = await run(faulty({ ...fleet, skewMs: 3_600_000 }));
  // An hour more costs the times their last bits: what falls on one instant may change places with a tick.
  const told = ({ log }: Ran) =>
    log.flatMap(({ event, nowMs }) => ('worker' in event ? [[event.type, event.worker, Math.round(nowMs)]] : []));
  expect(told(wrong)).toEqual(told(right));
  expect(wrong.theta).toEqual(right.theta);
});

test('[P29] a tenth of the workers lost every minute: the target is reached within 1.25 of the time', async () => {
  const scenario: Partial<Scenario> = { workers: 20, epochs: 300, batchSize: 500 }; // five seconds a step
  const churn = { stayMs: 600_000, awayMs: 30_000, crashes: 1 };
  const [lossy, calm] = [await run(faulty({ churn }, scenario)), await run(faulty({}, scenario))];
  const target = calm.row.curve[Math.floor(0.8 * calm.row.curve.length)]!.loss!;
  const reachedMs = ({ row }: Ran): number =>
    row.curve.find(({ loss }) => loss !== null && loss <= target)!.virtualTimeMs;
  expect(reachedMs(calm)).toBeGreaterThan(120_000);
  expect(lossy.log.filter(({ event }) => event.type === 'away').length).toBeGreaterThan(5);
  expect(reachedMs(lossy) / reachedMs(calm)).toBeLessThanOrEqual(1.25);
  expectExactlyOnce(lossy, 300);
});
