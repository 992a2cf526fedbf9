// The simulated network: delay, loss, duplication, reordering, partition.

import { expect, test } from 'vitest';
import { Alarm, Clock } from '../../server/sim/clock.ts';
import { Link, PERFECT_NETWORK, type NetworkProfile } from '../../server/sim/network.ts';
import { rng } from '../../shared/rng.ts';

const runOut = (clock: Clock): void => {
  while (clock.step() !== null);
};

interface Sent {
  readonly arrivals: { readonly number: number; readonly atMs: number }[];
  readonly lost: number[];
}

/** Sends message i at i ms. */
function send(changes: Partial<NetworkProfile>, count: number): Sent {
  const clock = new Clock();
  const link = new Link({ ...PERFECT_NETWORK, ...changes }, clock, rng('link'));
  const sent: Sent = { arrivals: [], lost: [] };
  for (let number = 0; number < count; number++) {
    clock.at(number, () =>
      link.send({
        deliver: () => void sent.arrivals.push({ number, atMs: clock.nowMs }),
        lost: () => void sent.lost.push(number),
      }),
    );
  }
  runOut(clock);
  return sent;
}

test('a perfect network delivers at once, once, in order', () => {
  const { arrivals, lost } = send({}, 5);
  expect(arrivals).toEqual([0, 1, 2, 3, 4].map((number) => ({ number, atMs: number })));
  expect(lost).toEqual([]);
});

test('what is lost is told, and nothing is both lost and delivered', () => {
  const { arrivals, lost } = send({ loss: 0.3 }, 2000);
  expect(lost.length / 2000).toBeCloseTo(0.3, 1);
  expect(new Set([...lost, ...arrivals.map(({ number }) => number)]).size).toBe(2000);
  expect(lost.length + arrivals.length).toBe(2000);
});

test('duplicates arrive twice', () => {
  const { arrivals } = send({ duplication: 0.25 }, 2000);
  expect((arrivals.length - 2000) / 2000).toBeCloseTo(0.25, 1);
});

test('held messages are overtaken by later ones', () => {
  const order = send({ reordering: 0.5, reorderMs: 100 }, 200).arrivals.map(({ number }) => number);
  expect(order).not.toEqual([...order].sort((a, b) => a - b));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
});

test('a partition stops what is sent and what is on its way, and then ends', () => {
  const partitions = [{ fromMs: 10, untilMs: 20, share: 1 }];
  const { arrivals, lost } = send({ delay: { kind: 'constant', ms: 3 }, partitions }, 30);
  expect(lost.sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, i) => 7 + i));
  expect(arrivals).toHaveLength(17);
});

test('a partition hits its share of the links', () => {
  const profile = { ...PERFECT_NETWORK, partitions: [{ fromMs: 0, untilMs: 1, share: 0.4 }] };
  const cut = Array.from({ length: 1000 }, (_, i) => new Link(profile, new Clock(), rng(i)).cuts.length);
  expect(cut.reduce((a, b) => a + b) / 1000).toBeCloseTo(0.4, 1);
});

test('actions of one instant run in the order in which they were planned; the past is now', () => {
  const clock = new Clock();
  const order: string[] = [];
  clock.at(5, () => {
    order.push('a');
    clock.at(1, () => void order.push(`c at ${clock.nowMs}`));
  });
  clock.at(5, () => void order.push('b'));
  runOut(clock);
  expect(order).toEqual(['a', 'b', 'c at 5']);
});

test('an alarm rings at its deadline, however often that moved', () => {
  const clock = new Clock();
  const rung: number[] = [];
  let dueMs: number | null = 10;
  const alarm = new Alarm(
    clock,
    () => dueMs,
    () => {
      rung.push(clock.nowMs);
      dueMs = null;
    },
  );
  alarm.set();
  clock.at(2, () => {
    dueMs = 6; // nearer
    alarm.set();
  });
  clock.at(3, () => {
    dueMs = 20; // further away again
    alarm.set();
  });
  runOut(clock);
  expect(rung).toEqual([20]);
});
