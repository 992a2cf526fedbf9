// What the chaos command kills when, and what it calls a success.

import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../tools/chaos/scene.ts';
import { kills, type Kill } from '../../tools/chaos/plan.ts';
import { report, verdict, type Fire } from '../../tools/chaos/verdict.ts';
import { aRun, aWorker } from '../client/fixtures.ts';

function first(count: number, seed: number): Kill[] {
  const taken: Kill[] = [];
  for (const kill of kills(seed, 10)) if (taken.push(kill) === count) break;
  return taken;
}

const outcome = (fields: Parameters<typeof aRun>[0], counted = [1000, 1000]): Outcome => ({
  run: aRun({ status: 'finished', epochs: 2, samplesPerEpoch: 1000, accuracy: 0.88, ...fields }),
  ledger: counted.map((samples, epoch) => ({ epoch, leased: 0, counted: samples })),
  workers: [aWorker('w1', { refused: { 'unknown-lease': 2 } }), aWorker('w2', { refused: { 'unknown-lease': 1 } })],
});
const BAN = {
  id: 1,
  at: '2026-06-15T12:00:00Z',
  kind: 'banned',
  worker: 'w1',
  text: 'its pushes do not lead',
} as const;
const fire: Fire = {
  kills: { worker: 9, coordinator: 2 },
  startsMs: [1200, 4800],
  accidents: [],
  bans: [],
  seconds: 60,
};
const failing = (under: Outcome, of: Fire = fire): string[] =>
  verdict(outcome({}), under, of)
    .filter(({ holds }) => !holds)
    .map(({ claim }) => claim);

describe('the plan of kills', () => {
  it('is the seed’s', () => {
    expect(first(50, 7)).toEqual(first(50, 7));
    expect(first(50, 7)).not.toEqual(first(50, 8));
  });

  it('kills the coordinator now and then, and every worker sooner or later', () => {
    const plan = first(400, 7);
    const coordinator = plan.filter(({ what }) => what === 'coordinator').length;
    expect(coordinator).toBeGreaterThan(40);
    expect(coordinator).toBeLessThan(130);
    expect(new Set(plan.flatMap((kill) => (kill.what === 'worker' ? [kill.worker] : []))).size).toBe(10);
    expect(plan.every(({ afterMs }) => afterMs >= 1_500 && afterMs <= 5_000)).toBe(true);
  });
});

describe('the verdict on a run under fire', () => {
  it('holds when it ended, exact and as good', () => {
    expect(failing(outcome({ accuracy: 0.865 }))).toEqual([]);
  });

  it.each<[string, Outcome, Fire]>([
    ['The run ends', outcome({ status: 'running' }), fire],
    ['Every epoch’s samples are counted once', outcome({}, [1000, 1064]), fire],
    ['Every epoch’s samples are counted once', outcome({}, [1000]), fire],
    ['Validation accuracy within 2 points of the calm run', outcome({ accuracy: 0.85 }), fire],
    ['Validation accuracy within 2 points of the calm run', outcome({ accuracy: null }), fire],
    [
      'No process ends by itself: no unhandled rejection, no exception',
      outcome({}),
      { ...fire, accidents: ['worker 3 ended'] },
    ],
    ['No worker is banned: all are honest', outcome({}), { ...fire, bans: [BAN] }],
    ['Serving again within 5 s of every start', outcome({}), { ...fire, startsMs: [5_100] }],
    ['Serving again within 5 s of every start', outcome({}), { ...fire, startsMs: [] }],
    ['Something was killed', outcome({}), { ...fire, kills: { worker: 0, coordinator: 3 } }],
  ])('fails where “%s” does not hold', (claim, under, of) => {
    expect(failing(under, of)).toEqual([claim]);
  });

  it('is told as a table, with what was refused', () => {
    const text = report(verdict(outcome({}), outcome({ status: 'stopped' }), fire), outcome({}));
    expect(text).toContain('| The run ends | stopped | **no** |');
    expect(text).toContain('refused pushes: unknown-lease 3;');
  });
});
