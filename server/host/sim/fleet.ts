// The fleet of `npm run sim`: the one that was named, with the faults that were asked for, and a name that tells of both.
// Rows, tables and plots have nothing but that name to tell one fleet from another.

import { FLEETS, type Churn, type Fleet } from '../../sim/fleet.ts';
import { randomFleet } from '../../sim/randomfleet.ts';
import type { SimOptions } from './options.ts';

export function fleetOf(options: SimOptions, seed: number, workers: number): Fleet {
  const { fleet: name, leases, delay, loss, duplicate, reorder, partition, stay, byzantine } = options;
  const base = name === 'random' ? randomFleet(seed, workers) : FLEETS.find((fleet) => fleet.name === name)!;
  const { network } = base;
  const churn: Churn | null =
    stay === undefined ? base.churn : { stayMs: stay, awayMs: stay / 10, crashes: base.churn?.crashes ?? 0.3 };
  return {
    ...base,
    name: fleetName(options),
    leasesPerWorker: leases ?? base.leasesPerWorker,
    churn,
    byzantine: byzantine.length > 0 ? byzantine : base.byzantine,
    network: {
      ...network,
      delay: delay === undefined ? network.delay : { kind: 'log-normal', medianMs: delay, sigma: 0.5 },
      loss: loss ?? network.loss,
      duplication: duplicate ?? network.duplication,
      reordering: reorder ?? network.reordering,
      reorderMs: network.reorderMs === 0 ? 500 : network.reorderMs,
      partitions: partition.length > 0 ? partition : network.partitions,
    },
  };
}

/** `homogeneous, 10 % lost, sign-flip:2`: enough to ask for the same fleet again. */
export const fleetName = (options: SimOptions): string => [options.fleet, ...askedFor(options)].join(', ');

function askedFor(options: SimOptions): string[] {
  const { leases, delay, loss, duplicate, reorder, partition, stay, byzantine } = options;
  return [
    leases !== undefined && `${leases} ${leases === 1 ? 'lease' : 'leases'} a worker`,
    delay !== undefined && `delays of ${delay} ms`,
    loss !== undefined && `${percent(loss)} lost`,
    duplicate !== undefined && `${percent(duplicate)} doubled`,
    reorder !== undefined && `${percent(reorder)} overtaken`,
    ...partition.map(({ fromMs, untilMs, share }) => `${percent(share)} cut off from ${fromMs} to ${untilMs} ms`),
    stay !== undefined && `visits of ${stay} ms`,
    ...byzantine.map(({ fault, workers }) => `${fault}:${workers}`),
  ].filter((part) => part !== false);
}

/** Fifteen digits: all that were typed, and none that the multiplication adds. */
const percent = (share: number): string => `${Number((100 * share).toPrecision(15))} %`;
