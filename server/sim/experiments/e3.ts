// E3: local SGD without waiting, on machines of very different speeds: what delayed Nesterov momentum, steps by speed,
// and a grace period each give, against DiLoCo's rounds.

import { HOMOGENEOUS, type Fleet } from '../fleet.ts';
import { meanOf } from '../report/statistics.ts';
import type { RunRow } from '../row.ts';
import type { Scenario } from '../scenario.ts';
import { atLeast, atMost, grid, type Check, type Contender, type TableExperiment } from './experiment.ts';
import { LARGE } from './e1.ts';

const WORKERS = 4;
const EPOCHS = 8;
/** Of plain rounds of gradients, before the local steps begin: 200 batches. */
const PRETRAINED = (200 * 64) / 50_000;
const FLEET: Fleet = {
  ...HOMOGENEOUS,
  name: 'speeds 4, 2, 2, 1',
  machines: { kind: 'given', speeds: [4, 2, 2, 1] },
  taskVariation: 0.05,
  order: 'sharded',
};

const INNER = { learningRate: 1e-3, weightDecay: 0.01, localSteps: 20 };
const OUTER = { outerLearningRate: 0.7, outerMomentum: 0.9 };
const PLAIN = { dynamicSteps: 'off', shardSampling: 'off', gracePart: 0 };

const ROUNDS = 'diloco';
const NAIVE = 'outer Nesterov for every push, ε/k';
const WHOLE = 'async-local-sgd';
const LONGER = 'async-local-sgd, grace of a half';

const CONTENDERS: readonly Contender[] = [
  { label: ROUNDS, name: 'diloco', set: OUTER },
  { label: 'outer Nesterov for every push', name: 'async-local-sgd', set: { ...OUTER, ...PLAIN, bufferSize: 1 } },
  {
    label: NAIVE,
    name: 'async-local-sgd',
    set: { ...OUTER, ...PLAIN, bufferSize: 1, outerLearningRate: OUTER.outerLearningRate / WORKERS },
  },
  { label: 'fedbuff', name: 'fedbuff', set: { ...OUTER, bufferSize: WORKERS, innerOptimizer: 'adamw' } },
  { label: 'delayed Nesterov', name: 'async-local-sgd', set: { ...OUTER, ...PLAIN, bufferSize: WORKERS } },
  {
    label: 'delayed Nesterov, steps by speed, no grace',
    name: 'async-local-sgd',
    set: { ...OUTER, bufferSize: WORKERS, gracePart: 0 },
  },
  { label: WHOLE, name: 'async-local-sgd', set: { ...OUTER, bufferSize: WORKERS } },
  { label: LONGER, name: 'async-local-sgd', set: { ...OUTER, bufferSize: WORKERS, gracePart: 0.5 } },
];

function scenarios({ reduced, seeds }: { reduced: boolean; seeds: number }): Scenario[] {
  const contenders = reduced
    ? CONTENDERS.filter(({ label }) => [ROUNDS, NAIVE, WHOLE, LONGER].includes(label!))
    : CONTENDERS;
  return grid({
    contenders: contenders.map(({ set, ...rest }) => ({ ...rest, set: { ...INNER, ...set } })),
    workers: [WORKERS],
    seeds,
    fleet: FLEET,
    problem: LARGE,
    batchSize: 64,
    epochs: EPOCHS,
    ...INNER,
    schedule: () => ({ decay: { kind: 'cosine', epochs: EPOCHS, floor: 0.05 } }),
  }).map((scenario): Scenario => {
    const before = { name: 'ssgd', learningRate: 0.05, momentum: 0.9, weightDecay: 0, schedule: {} };
    return { ...scenario, method: before, changes: [{ afterEpochs: PRETRAINED, method: scenario.method }] };
  });
}

function checks(rows: readonly RunRow[]): Check[] {
  const loss = (method: string): number => meanOf(rows, { method, workers: WORKERS }, ({ testLoss }) => testLoss);
  const time = (method: string): number => meanOf(rows, { method, workers: WORKERS }, (row) => row.virtualTimeMs);
  return [
    atMost('The whole method ends within 0.01 nats of rounds', Math.abs(loss(WHOLE) - loss(ROUNDS)), 0.01, ' nats'),
    atLeast('Outer Nesterov for every push ends at least 0.1 nats worse', loss(NAIVE) - loss(ROUNDS), 0.1, ' nats'),
    atMost('The whole method takes at most 0.55 of the time', time(WHOLE) / time(ROUNDS), 0.55, ' of it'),
  ];
}

export const E3: TableExperiment = {
  kind: 'table',
  name: 'e3',
  title: 'E3: local SGD without waiting',
  about:
    'Fashion-MNIST, LayerNorm MLP 784-128-64-10, batches of 64, H = 20; inner AdamW, learning rate 1e-3 with a cosine to 5 % by the progress of each shard, weight decay 0.01; outer ε = 0.7, momentum 0.9; four workers of speeds 4, 2, 2, 1, task times Gamma(400); grace period of a quarter of a lease unless said otherwise; 200 batches of ssgd first, 8 epochs in all.',
  scenarios,
  checks,
};
