// The settings of a table, in words: what stands above it must be enough to run it again.

import type { Scenario } from '../../sim/scenario.ts';
import { fleetName } from './fleet.ts';
import type { SimOptions } from './options.ts';

export function describe(options: SimOptions, scenarios: readonly Scenario[]): string {
  const { dataset, pool, trainSamples, model, hidden, batch, epochs, lr, momentum, weightDecay, seeds } = options;
  const exact = scenarios[0]?.problem.kind !== 'network';
  const parts = [
    [dataset, pool && `pooled to ${pool}×${pool}`, trainSamples && `${trainSamples} training samples`],
    exact ? [] : [model, hidden && `hidden layers ${hidden.join(', ')}`],
    [`batches of ${batch}`, `${epochs} epochs`],
    [
      `learning rate ${lr}`,
      momentum !== undefined && `momentum ${momentum}`,
      weightDecay && `weight decay ${weightDecay}`,
    ],
    options.set.map(([key, value]) => `${key} ${value}`),
    [schedule(options)],
    [`fleet: ${fleetName(options)}`],
    [`seeds 1 to ${seeds}`],
    [exact ? '' : options.finalTest ? 'test split read once, at the end' : 'measured on the validation split'],
  ];
  const said = parts.map((part) => part.filter(Boolean).join(', ')).filter((part) => part !== '');
  return `${said.join('; ')}.`;
}

function schedule({ warmupEpochs, decay, decayAt, decayFactor, epochs }: SimOptions): string {
  const warmup = warmupEpochs === 0 ? '' : `warm-up of ${warmupEpochs} epochs from lr/N to lr`;
  const steps = decayAt.map((at) => Number((at * epochs).toFixed(4))).join(' and ');
  const fall =
    decay === 'step' ? `×${decayFactor} at epochs ${steps}` : decay === 'cosine' ? `cosine to ${decayFactor}` : '';
  return [warmup, fall].filter((part) => part !== '').join(', ');
}
