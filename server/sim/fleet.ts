// A fleet: how fast its machines are, how they are connected, how long they stay, and which of them lie. All data, so a
// scenario can be written down; what it draws comes from the scenario's seed.
//
// Compute times by the CVB method of Ali et al. (2000), as in the papers: a machine's mean is drawn once, a task's time
// around it. The papers' unit of time, the mean time of one sample, is 10 virtual ms: a batch of 128 takes about as long
// as on a phone, and the coordinator's own times (a second here, a minute there) are in their true proportion to it.

import type { Rng } from '../../shared/rng.ts';
import type { FaultyWorkers } from './byzantine.ts';
import { PERFECT_NETWORK, type NetworkProfile } from './network.ts';

/** The mean time of one sample on a machine of speed 1. */
export const MS_PER_SAMPLE = 10;

/** How slow each machine is: its mean time a sample, in units of MS_PER_SAMPLE. */
export type Machines =
  /** Gamma of mean 1 with this coefficient of variation; 0: all alike. */
  | { readonly kind: 'gamma'; readonly variation: number }
  /** exp(N(0, σ)): median 1, with a long tail of slow machines. */
  | { readonly kind: 'log-normal'; readonly sigma: number }
  /** Given: worker i has speed `speeds[i mod length]`. */
  | { readonly kind: 'given'; readonly speeds: readonly number[] };

/** Joining and leaving. Times are exponential, one draw a visit. */
export interface Churn {
  readonly stayMs: number;
  readonly awayMs: number;
  /** The share of departures without a word: closed lids, dead batteries. */
  readonly crashes: number;
}

/** At once that share of the volunteers (drawn from the seed) is cut off without a word; they open a new tab later. */
export interface Outage {
  readonly atMs: number;
  readonly share: number;
  readonly backAfterMs: number;
}

export interface Fleet {
  readonly name: string;
  readonly machines: Machines;
  /** Coefficient of variation of one task's time around its machine's mean; 0: constant. */
  readonly taskVariation: number;
  readonly network: NetworkProfile;
  readonly churn: Churn | null;
  readonly outages?: readonly Outage[];
  /** Every other volunteer's clock is ahead of the coordinator's by so much, the others' are behind. */
  readonly skewMs?: number;
  readonly byzantine: readonly FaultyWorkers[];
  /** The honest arrive only so long after the others. */
  readonly honestAfterMs?: number;
  /** Workers arrive within this long of the start. */
  readonly arriveWithinMs: number;
  /** One: the papers' setting. Two: the exchange of one overlaps the computing of the other. */
  readonly leasesPerWorker: number;
  /**
   * `shuffled`: the batches of an epoch come off one global shuffle, as in the papers. `sharded`: as in a real run,
   * workers stay on shards.
   */
  readonly order: 'shuffled' | 'sharded';
}

const PAPERS = {
  taskVariation: 0.1,
  network: PERFECT_NETWORK,
  churn: null,
  byzantine: [],
  arriveWithinMs: 0,
  leasesPerWorker: 1,
  order: 'shuffled',
} as const satisfies Partial<Fleet>;

/** V_mach = 0, V_task = 0.1: Gamma(100, B/100). */
export const HOMOGENEOUS: Fleet = { ...PAPERS, name: 'homogeneous', machines: { kind: 'gamma', variation: 0 } };

/** V_mach = 0.6, V_task = 0.1. */
export const HETEROGENEOUS: Fleet = { ...PAPERS, name: 'heterogeneous', machines: { kind: 'gamma', variation: 0.6 } };

/**
 * Phones, laptops and gaming machines at home: a factor of ten between the fastest and the slowest twentieth, links of
 * tens of milliseconds with a tail, tabs that are closed after ten minutes on average, and one message in 500 lost.
 */
export const VOLUNTEERS: Fleet = {
  name: 'volunteers',
  machines: { kind: 'log-normal', sigma: 0.7 },
  taskVariation: 0.25,
  network: {
    ...PERFECT_NETWORK,
    delay: { kind: 'log-normal', medianMs: 20, sigma: 0.6 },
    loss: 0.002,
    duplication: 0.001,
    reordering: 0.01,
    reorderMs: 200,
  },
  churn: { stayMs: 600_000, awayMs: 60_000, crashes: 0.3 },
  byzantine: [],
  arriveWithinMs: 10_000,
  leasesPerWorker: 2,
  order: 'sharded',
};

export const FLEETS: readonly Fleet[] = [HOMOGENEOUS, HETEROGENEOUS, VOLUNTEERS];

/** This machine's slowness, in mean 1 (or median 1). */
export function slowness(machines: Machines, index: number, random: Rng): number {
  switch (machines.kind) {
    case 'gamma':
      return machines.variation === 0 ? 1 : gammaAround(1, machines.variation, random);
    case 'log-normal':
      return Math.exp(machines.sigma * random.normal());
    case 'given':
      return 1 / machines.speeds[index % machines.speeds.length]!;
    default:
      return machines satisfies never;
  }
}

/** How long a task of that mean takes this time. */
export function taskMs(meanMs: number, variation: number, random: Rng): number {
  return variation === 0 ? meanMs : gammaAround(meanMs, variation, random);
}

/** Gamma of that mean and coefficient of variation V: shape 1/V², scale mean·V². */
function gammaAround(mean: number, variation: number, random: Rng): number {
  const square = variation * variation;
  return random.gamma(1 / square, mean * square);
}

export const exponential = (mean: number, random: Rng): number => -mean * Math.log(1 - random.next());
