// What a comparison prints: statistics, tables and plots.

import { expect, test } from 'vitest';
import { atLeast, atMost, unexpected } from '../../server/sim/experiments/experiment.ts';
import { EXPERIMENTS } from '../../server/sim/experiments/index.ts';
import { comparisonPlot } from '../../server/sim/report/plots.ts';
import { meanOf, spread } from '../../server/sim/report/statistics.ts';
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
