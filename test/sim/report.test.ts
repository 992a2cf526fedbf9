// What a comparison prints: statistics, tables and plots.

import { expect, test } from 'vitest';
import { atLeast, atMost, unexpected, type TableExperiment } from '../../server/sim/experiments/experiment.ts';
import { ATTACKED, ATTACKS } from '../../server/sim/experiments/attacks.ts';
import { E1 } from '../../server/sim/experiments/e1.ts';
import { E2 } from '../../server/sim/experiments/e2.ts';
import { EXPERIMENTS } from '../../server/sim/experiments/index.ts';
import { comparisonPlot } from '../../server/sim/report/plots.ts';
import { meanOf, seedsOf, spread } from '../../server/sim/report/statistics.ts';
import { longTable, wideTable } from '../../server/sim/report/table.ts';
import { renderSvg } from '../../server/host/sim/svg.ts';
import { poolImages } from '../../server/host/sim/pool.ts';
import type { RunRow } from '../../server/sim/row.ts';
import { methods } from './rig.ts';

function rowOf(changes: Partial<RunRow>): RunRow {
  return {
    method: 'asgd',
    workers: 8,
    seed: 1,
    fleet: 'homogeneous',
    finalAccuracy: 0.5,
    finalLoss: 1.25,
    lagMean: 7,
    gapMean: 0.001,
    virtualTimeMs: 12_000,
    samples: 900,
    wastedSamples: 100,
    curve: [{ epoch: 1, samples: 900, version: 9, virtualTimeMs: 12_000, loss: 1.25, accuracy: 0.5 }],
    end: 'finished',
    version: 9,
    testAccuracy: null,
    testLoss: null,
    lags: [
      [6, 3],
      [7, 6],
    ],
    gaps: [[-30, 9]],
    bans: { lying: 0, honest: 0, pushes: [] },
    rollbacks: 0,
    worstLossRatio: null,
    refused: {},
    ...changes,
  };
}

test('seeds are put together as mean ± sample standard deviation', () => {
  expect(spread([1, 2, 3, null])).toEqual({ mean: 2, deviation: 1 });
  expect(spread([4])).toEqual({ mean: 4, deviation: null });
  expect(spread([null])).toBeNull();
});

test('a table has a line a group, and says how runs ended only where one did not finish', () => {
  const rows = [
    rowOf({}),
    rowOf({ seed: 2, finalAccuracy: 0.52 }),
    rowOf({ workers: 32, end: 'diverged', finalLoss: null }),
  ];
  expect(longTable(rows)).toBe(
    [
      '| method | workers | accuracy % | loss | lag | gap | virtual time s | wasted % | ended |',
      '| --- | --: | --: | --: | --: | --: | --: | --: | --: |',
      '| asgd | 8 | 51.00 ± 1.41 | 1.2500 ± 0.0000 | 7.00 ± 0.00 | 1.00e-3 ± 0 | 12.0 ± 0.0 | 10.0 ± 0.0 | finished |',
      '| asgd | 32 | 50.00 |  | 7.00 | 1.00e-3 | 12.0 | 10.0 | 1 of 1 diverged |',
    ].join('\n'),
  );
  expect(longTable(rows.slice(0, 2))).not.toContain('ended');
});

test('a figure that was not measured leaves its cell empty', () => {
  expect(longTable([rowOf({ finalAccuracy: null })])).toContain('| asgd | 8 |  | 1.2500 |');
  expect(wideTable([rowOf({}), rowOf({ method: 'ssgd', workers: 1 })], () => 'x')).toBe(
    ['| method | N = 1 | N = 8 |', '| --- | --: | --: |', '| asgd |  | x |', '| ssgd | x |  |'].join('\n'),
  );
});

test('the mean of a group that is not there throws', () => {
  expect(meanOf([rowOf({})], { method: 'asgd', workers: 8 }, ({ lagMean }) => lagMean)).toBe(7);
  expect(() => meanOf([rowOf({})], { method: 'asgd', workers: 9 }, ({ lagMean }) => lagMean)).toThrow('asgd with 9');
});

test('a plot is SVG, and the same rows give the same bytes', async () => {
  const rows = [rowOf({}), rowOf({ workers: 32, finalLoss: null, finalAccuracy: null, curve: [] })];
  const a = await renderSvg(comparisonPlot(rows));
  const b = await renderSvg(comparisonPlot(rows));
  expect(a).toBe(b);
  expect(a).toMatch(/^<svg[^]*<\/svg>\n$/);
  for (const text of ['asgd', 'validation accuracy, %', 'lag, versions', 'virtual time, s']) expect(a).toContain(text);
});

test('fleets have plots of their own, with their names', async () => {
  const one = [rowOf({}), rowOf({ workers: 32, finalAccuracy: 0.4 })];
  const other = [rowOf({ fleet: 'strangers', finalAccuracy: 0.3 }), rowOf({ fleet: 'strangers', method: 'ssgd' })];
  const [both, first, second] = [[...one, ...other], one, other].map((rows) => sectionsOf(comparisonPlot(rows)));
  expect(first!.map(({ title }) => title)).toEqual(Array.from({ length: 4 }, () => undefined));
  expect(both!.map(({ title }) => title)).toEqual([
    ...Array.from({ length: 4 }, () => 'homogeneous fleet'),
    ...Array.from({ length: 4 }, () => 'strangers fleet'),
  ]);
  expect(both!.map(({ values }) => values)).toEqual([...first!, ...second!].map(({ values }) => values));
  expect(second![0]!.values).toMatchObject([{ method: 'asgd', mean: 30 }, { method: 'ssgd', mean: 50 }]); // prettier-ignore
  expect(await renderSvg(comparisonPlot([...one, ...other]))).toContain('strangers fleet');
});

test('where there is one number of workers, the ends are a row a method, as wide as the panels', () => {
  const first = (workers: number[]): string => {
    const rows = workers.flatMap((count) => ['asgd', 'ssgd'].map((method) => rowOf({ method, workers: count })));
    const plot = comparisonPlot(rows);
    return JSON.stringify('vconcat' in plot && plot.vconcat[0]);
  };
  expect(first([8])).toContain('"y":{"field":"method"');
  expect(first([8, 16])).toContain('"x":{"field":"workers"');
  expect(first([1, 8, 16, 32, 64])).toContain('"width":1030');
});

/** What each section draws. */
function sectionsOf(plot: ReturnType<typeof comparisonPlot>): { title: unknown; values: unknown }[] {
  if (!('vconcat' in plot)) throw new Error('expected sections one under the other');
  return plot.vconcat.map(({ title, data }) => ({ title, values: data && 'values' in data ? data.values : null }));
}

test('a table says which seeds it has', () => {
  const of = (...seeds: number[]): string => seedsOf(seeds.map((seed) => rowOf({ seed })));
  expect([of(1, 1), of(2, 1, 3), of(1, 3)]).toEqual(['Seed 1', 'Seeds 1 to 3', 'Seeds 1, 3']);
  for (const experiment of EXPERIMENTS) {
    if (experiment.kind !== 'table') continue;
    const seeds = experiment.scenarios({ reduced: false, seeds: 3 }).map(({ seed }) => seed);
    expect(of(...seeds), experiment.name).toBe('Seeds 1 to 3');
  }
});

/** A row for each scenario of a preset. */
const rowsOf = (experiment: TableExperiment, changes: Partial<RunRow> = {}, seeds = 1): RunRow[] =>
  experiment
    .scenarios({ reduced: false, seeds })
    .map(({ label, workers, seed, fleet }) => rowOf({ method: label, workers, seed, fleet: fleet.name, ...changes }));

test('E1 excuses what three seeds miss by less than they differ, and more of them do not', () => {
  const curve = [{ epoch: 7, samples: 900, version: 9, virtualTimeMs: 12_000, loss: 1.25, accuracy: 0.5 }];
  const excused = (seeds: number): string[] =>
    E1.checks(rowsOf(E1, { curve }, seeds)).flatMap(({ claim, knownMiss }) => (knownMiss === undefined ? [] : [claim]));
  const atTheEnd = 'N = 32: nag-asgd below 50 %';
  expect(excused(3)).toEqual(['N = 32: dana-ga at least 1.5 points above dana-sa', atTheEnd, `${atTheEnd} at the peak learning rate`]); // prettier-ignore
  expect(excused(4)).toEqual([atTheEnd]);
});

test('E1 claims what it has rows of: nothing of the heterogeneous fleet alone', () => {
  const curve = [{ epoch: 7, samples: 900, version: 9, virtualTimeMs: 12_000, loss: 1.25, accuracy: 0.5 }];
  const rows = rowsOf(E1, { curve });
  const [alone, others] = [true, false].map((is) => rows.filter(({ fleet }) => (fleet === 'homogeneous') === is));
  expect(E1.checks(others!)).toEqual([]);
  expect(E1.checks(alone!)).toHaveLength(6);
  expect(E1.checks(rows)).toEqual(E1.checks(alone!));
});

test('E2 shows what its claims are means of, seed by seed', () => {
  const point = (epoch: number, accuracy: number) => ({ epoch, samples: 100 * epoch, version: epoch, virtualTimeMs: 1000 * epoch, loss: 1, accuracy }); // prettier-ignore
  const rows = [1, 2].flatMap((seed) =>
    E2.scenarios({ reduced: true, seeds: 1 }).map(({ label, workers }) => {
      const end = { 'lockstep throughout': 0.9, 'then nag-asgd': 0.8, 'then gba': 0.9 - 0.01 * seed }[label]!;
      const curve = [point(5, 0.85), point(6, 0.85 - 0.02 * seed), point(10, end)];
      return rowOf({ method: label, workers, seed, curve, finalAccuracy: end });
    }),
  );
  expect(E2.details!(rows).split('\n').slice(2)).toEqual([
    '| what | seed 1 | seed 2 | mean ± standard error |',
    '| --- | --: | --: | --: |',
    '| drop to an update for every gradient | 2.00 | 4.00 | 3.00 ± 1.00 |',
    '| drop to gba | 2.00 | 4.00 | 3.00 ± 1.00 |',
    '| gba below lockstep at the end | 1.00 | 2.00 | 1.50 ± 0.50 |',
    '| samples a second, gba over lockstep | 1.00 | 1.00 | 1.00 ± 0.00 |',
  ]);
});

test('E1 has synchronous SGD with and without momentum', () => {
  const momentumOf = (line: string): unknown[] => [
    ...new Set(E1.scenarios({ reduced: false, seeds: 1 }).flatMap(({ label, method }) => (label === line ? [method['momentum']] : []))), // prettier-ignore
  ];
  expect(momentumOf('ssgd')).toEqual([undefined]);
  expect(momentumOf('ssgd, momentum 0.9')).toEqual([0.9]);
});

test('[P22] [P23] every attack is tried with a fifth and with two fifths of the workers, and what is promised is claimed', () => {
  const kinds = (part: string): string[] =>
    ATTACKS.flatMap(({ name }) => (name.startsWith(part) ? [name.slice(part.length)] : [])).sort();
  expect(kinds('40 % ')).toEqual(kinds('20 % ').filter((kind) => kind !== 'NaN'));
  const claims = ATTACKED.checks(rowsOf(ATTACKED)).map(({ claim }) => claim);
  for (const [points, kind] of [
    [5, '40 % ×10'],
    [5, '40 % label-flip'],
    [3, '20 % sleepers, constant from half-time'],
    [3, '40 % sleepers, sign-flip from half-time'],
  ] as const)
    // prettier-ignore
    expect(claims).toContain(`${kind}: within ${points} points of the run without liars or defences`);
  expect(claims).toContain('40 % lazy: another’s push: at least 90 % of the liars are banned');
});

test('pooling takes the mean of each square, channel by channel', () => {
  const image = [1, 10, 3, 20, 5, 30, 7, 40]; // 2 × 2 pixels of two channels
  const samples = { count: 1, sampleBytes: 8, labels: Uint8Array.of(4), features: Uint8Array.from(image) };
  expect(poolImages(samples, [2, 2, 2], 1)).toEqual({ ...samples, sampleBytes: 2, features: Uint8Array.of(4, 25) });
  expect(() => poolImages(samples, [2, 2, 2], 3)).toThrow('the sides must divide');
});

test.each(EXPERIMENTS.map((experiment) => [experiment.name, experiment] as const))(
  '%s names methods that there are, and no scenario twice',
  (_, experiment) => {
    if (experiment.kind === 'exact') return expect(experiment.about).not.toBe('');
    for (const reduced of [false, true]) {
      const scenarios = experiment.scenarios({ reduced, seeds: 2 });
      for (const { method } of scenarios) expect(methods.has(method.name), method.name).toBe(true);
      const lines = scenarios.map(({ label, workers, seed, fleet }) => `${label}/${workers}/${seed}/${fleet.name}`);
      expect(new Set(lines).size).toBe(lines.length);
    }
  },
);

test('a preset fails by a claim that fails, and by a known miss that holds', () => {
  const [holds, fails] = [atLeast('holds', 2, 1, ''), atMost('fails', 2, 1, '')];
  const known = { ...fails, knownMiss: 'why' };
  expect(unexpected([holds, known])).toEqual([]);
  expect(unexpected([holds, fails, known])).toEqual([fails]);
  const mended = { ...holds, knownMiss: 'why' };
  expect(unexpected([mended])).toEqual([mended]);
});
