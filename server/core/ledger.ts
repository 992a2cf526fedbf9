// The account of samples: every sample of an epoch is leased, and counted exactly once. It knows who holds what shard
// so that a worker stays on the data it has; it knows no deadlines (leases.ts) and no parameters.

import type { Batch } from '../../shared/data/spec.ts';
import { permutation, type Rng } from '../../shared/rng.ts';
import { shardBatches } from './plan.ts';

/** The unit that is leased and counted: the samples of one push. */
export interface WorkItem {
  /** Its place in the order of leasing, from 0; it keeps it when it is issued again. */
  readonly sequence: number;
  readonly epoch: number;
  readonly batches: readonly Batch[];
  readonly samples: number;
  /** Leases out on it now: more than one when a slow one was issued again. */
  holders: number;
  /** Leases ever out on it. */
  issues: number;
  landed: boolean;
}

export interface EpochAccount {
  readonly epoch: number;
  /** Samples leased now and not yet counted. */
  leased: number;
  counted: number;
}

export interface LedgerOptions {
  /** Samples of each shard. */
  readonly shards: readonly number[];
  readonly batchSize: number;
  readonly epochs: number;
  readonly random: Rng;
}

/** What a lease is to be made of. */
export interface Wanted {
  readonly batches: number;
  /** From shards drawn by what is left of them; else from where the worker was last. */
  readonly drawn?: boolean;
}

export class Ledger {
  readonly samplesPerEpoch: number;
  readonly #options: LedgerOptions;
  readonly #accounts: EpochAccount[] = [];
  /** Given back or overdue: these go first. */
  readonly #returned: WorkItem[] = [];
  /** What is left of the epoch now being leased: shards in a random order, each with its batches. */
  #shards: { shard: number; batches: Batch[] }[] = [];
  #made = 0;
  #counted = 0;
  /** The shard each worker was last on. */
  readonly #lastShard = new Map<string, number>();

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.samplesPerEpoch = options.shards.reduce((a, b) => a + b, 0);
  }

  /** One account an epoch begun. */
  get accounts(): readonly EpochAccount[] {
    return this.#accounts;
  }

  /** The epoch that work is leased from. */
  get epoch(): number {
    return Math.max(0, this.#accounts.length - 1);
  }

  /** Samples counted, all epochs. */
  get counted(): number {
    return this.#counted;
  }

  /** Items made so far: the sequence of the next. */
  get made(): number {
    return this.#made;
  }

  /** Every sample of every epoch is counted. */
  get complete(): boolean {
    return this.counted === this.samplesPerEpoch * this.#options.epochs;
  }

  /**
   * The next item for this worker, now held once more; null when every sample left is leased. `holding`: the items it
   * has already, of which an overdue one is for others only.
   */
  take(worker: string, holding: readonly WorkItem[] = [], wanted: Wanted = { batches: 1 }): WorkItem | null {
    const item = this.#takeReturned(holding) ?? this.#make(worker, wanted);
    if (!item) return null;
    this.#lastShard.set(worker, item.batches.at(-1)!.shard);
    item.holders += 1;
    item.issues += 1;
    if (item.holders === 1) this.#account(item).leased += item.samples;
    return item;
  }

  /** How far the data of an item have been gone through before it, in epochs: for schedules that go by the shard. */
  progress({ epoch, batches }: WorkItem): number {
    const { shard, start } = batches[0]!;
    return epoch + start / this.#options.shards[shard]!;
  }

  /** One holder of the item is done with it, without having landed it. Free again if nobody else has it. */
  giveBack(item: WorkItem): void {
    item.holders -= 1;
    if (item.landed || item.holders > 0) return;
    this.#account(item).leased -= item.samples;
    if (!this.#returned.includes(item)) this.#returned.push(item);
  }

  /** Overdue: others may have it too, while its holder may still land it. */
  reissue(item: WorkItem): void {
    if (!item.landed && !this.#returned.includes(item)) this.#returned.push(item);
  }

  /** The item's samples are counted. Once: false when they were already. */
  land(item: WorkItem): boolean {
    item.holders -= 1;
    if (item.landed) return false;
    item.landed = true;
    const account = this.#account(item);
    account.leased -= item.samples;
    account.counted += item.samples;
    this.#counted += item.samples;
    return true;
  }

  forget(worker: string): void {
    this.#lastShard.delete(worker);
  }

  #takeReturned(holding: readonly WorkItem[]): WorkItem | undefined {
    for (let i = 0; i < this.#returned.length;) {
      const item = this.#returned[i]!;
      if (!item.landed && holding.includes(item)) {
        i += 1;
        continue;
      }
      this.#returned.splice(i, 1);
      if (!item.landed) return item;
    }
    return undefined;
  }

  /** Batches of one epoch, shard after shard until there are enough: fewer at the epoch's end. */
  #make(worker: string, { batches: count, drawn }: Wanted): WorkItem | undefined {
    if (this.#shards.length === 0 && !this.#beginEpoch()) return undefined;
    const batches: Batch[] = [];
    let last = drawn ? undefined : this.#lastShard.get(worker);
    while (batches.length < count && this.#shards.length > 0) {
      const own = this.#shards.findIndex(({ shard }) => shard === last);
      const index = own >= 0 ? own : drawn ? this.#drawn() : this.#leastUsed();
      const left = this.#shards[index]!;
      batches.push(...left.batches.splice(0, count - batches.length));
      last = left.shard;
      if (left.batches.length === 0) this.#shards.splice(index, 1);
    }
    return newItem(this.#made++, this.epoch, batches);
  }

  /**
   * A shard drawn with probability max(|Dᵢ|/Σ|D| − nᵢ/Σn, 0), with n the samples leased of it in this epoch: those that
   * are behind come first. Liu et al. (2024), section 4.1.
   */
  #drawn(): number {
    const { shards, random } = this.#options;
    const left = this.#shards.map(({ batches }) => batches.reduce((sum, { count }) => sum + count, 0));
    const leasedAll = this.samplesPerEpoch - left.reduce((a, b) => a + b, 0);
    const behind = this.#shards.map(({ shard }, i) => {
      const leased = leasedAll === 0 ? 0 : (shards[shard]! - left[i]!) / leasedAll;
      return Math.max(0, shards[shard]! / this.samplesPerEpoch - leased);
    });
    const weights = behind.some((weight) => weight > 0) ? behind : left;
    let at = random.fork(`draw/${this.#made}/${leasedAll}`).next() * weights.reduce((a, b) => a + b, 0);
    const index = weights.findIndex((weight) => (at -= weight) < 0);
    return index < 0 ? weights.length - 1 : index;
  }

  /** A shard that few workers are on: the first of them in the epoch's random order. */
  #leastUsed(): number {
    const users = new Map<number, number>();
    for (const shard of this.#lastShard.values()) users.set(shard, (users.get(shard) ?? 0) + 1);
    let best = 0;
    this.#shards.forEach(({ shard }, index) => {
      if ((users.get(shard) ?? 0) < (users.get(this.#shards[best]!.shard) ?? 0)) best = index;
    });
    return best;
  }

  #beginEpoch(): boolean {
    const { shards, batchSize, epochs, random } = this.#options;
    const epoch = this.#accounts.length;
    if (epoch >= epochs) return false;
    this.#accounts.push({ epoch, leased: 0, counted: 0 });
    const order = permutation(shards.length, random.fork(`shards/${epoch}`));
    this.#shards = [...order].map((shard) => {
      return { shard, batches: shardBatches(random, { epoch, shard, count: shards[shard]!, batchSize }) };
    });
    return true;
  }

  #account(item: WorkItem): EpochAccount {
    return this.#accounts[item.epoch]!;
  }
}

function newItem(sequence: number, epoch: number, batches: readonly Batch[]): WorkItem {
  const samples = batches.reduce((sum, { count }) => sum + count, 0);
  return { sequence, epoch, batches, samples, holders: 0, issues: 0, landed: false };
}
