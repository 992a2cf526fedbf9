// E4: NAdam with a momentum near 1 under staleness, against Adam at its usual one.

import { HOMOGENEOUS } from '../fleet.ts';
import { meanOf } from '../report/statistics.ts';
import { accuracyOf, atLeast, atMost, grid, type Contender, type TableExperiment } from './experiment.ts';

const EPOCHS = 8;
const CONTENDERS: readonly Contender[] = [
  { label: 'adam, β₁ 0.9', name: 'adam', set: { beta1: 0.9 } },
  { label: 'adam, β₁ 0.99', name: 'adam', set: { beta1: 0.99 } },
  { label: 'nadam-async, β₁ 0.9', name: 'nadam-async', set: { beta1: 0.9 } },
  { label: 'nadam-async, β₁ 0.99', name: 'nadam-async', set: { beta1: 0.99 } },
];

export const E4: TableExperiment = {
  kind: 'table',
  name: 'e4',
  title: 'E4: NAdam under staleness',
  about:
    'Fashion-MNIST, LayerNorm MLP 784-128-64-10, batches of 128, 8 epochs, learning rate 5e-4, weight decay 0.01, warm-up of 2 epochs from lr/N to lr, cosine to 10 %; homogeneous fleet. Neither side was tuned.',
  scenarios: ({ reduced, seeds }) =>
    grid({
      contenders: reduced ? [CONTENDERS[0]!, CONTENDERS[3]!] : CONTENDERS,
      workers: reduced ? [1, 16] : [1, 8, 16, 32],
      seeds,
      fleet: HOMOGENEOUS,
      problem: {
        kind: 'network',
        dataset: 'fashion-mnist',
        pool: null,
        trainSamples: null,
        model: 'ln-mlp',
        hidden: [128, 64],
      },
      batchSize: 128,
      epochs: EPOCHS,
      learningRate: 5e-4,
      weightDecay: 0.01,
      schedule: (workers) => ({
        warmup: { epochs: 2, from: 1 / workers },
        decay: { kind: 'cosine', epochs: EPOCHS, floor: 0.1 },
      }),
    }),
  checks: (rows) => {
    const ahead = (workers: number): number =>
      meanOf(rows, { method: 'nadam-async, β₁ 0.99', workers }, accuracyOf) -
      meanOf(rows, { method: 'adam, β₁ 0.9', workers }, accuracyOf);
    const points = new Map([
      [8, 0.5],
      [16, 1],
      [32, 1],
    ]);
    const counts = [...new Set(rows.map(({ workers }) => workers))].filter((count) => points.has(count));
    return [
      atMost('N = 1: nadam-async and adam within half a point', Math.abs(ahead(1)), 0.5, ' points'),
      ...counts.map((count) =>
        atLeast(
          `N = ${count}: nadam-async at 0.99 at least ${points.get(count)} points above adam at 0.9`,
          ahead(count),
          points.get(count)!,
          ' points',
        ),
      ),
    ];
  },
};
