// The account of samples: every sample of an epoch is leased, and counted exactly once. It knows who holds what shard
// so that a worker stays on the data it has; it knows no deadlines (leases.ts) and no parameters.

import * as z from 'zod/mini';
import type { Batch } from '../../shared/data/spec.ts';
import { permutation } from '../../shared/rng.ts';
import { count } from './facts.ts';
import { Batches, shardBatches, type BatchesOptions } from './plan.ts';

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

export interface LedgerOptions extends BatchesOptions {
  readonly epochs: number;
}

/** What a lease is to be made of. */
export interface Wanted {
  readonly batches: number;
  /** From shards drawn by what is left of them; else from where the worker was last. */
  readonly drawn?: boolean;
}

/** The account written down. Batches by shard and place: the rest of them follows from the seed. */
export const ledgerFacts = z.strictObject({
  /** Samples counted of each epoch begun. */
  counted: z.array(count),
  made: count,
  /** Work to be leased again, in order; what was leased is among it. */
  returned: z.array(
    z.strictObject({ sequence: count, epoch: count, issues: count, batches: z.array(z.tuple([count, count])) }),
  ),
  /** Shards not leased to their end in this epoch, in order, with how many batches are left. */
  shards: z.array(z.tuple([count, count])),
  lastShard: z.array(z.tuple([z.string(), count])),
});
export type LedgerFacts = z.infer<typeof ledgerFacts>;

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

  /** With the work of these leases, the open ones in their order, given back. */
  snapshot(leased: readonly WorkItem[]): LedgerFacts {
    const returned = new Set(this.#returned.filter(({ landed }) => !landed));
    const back = new Set<WorkItem>();
    for (const item of leased) {
      if (item.landed || returned.has(item)) continue;
      back.delete(item); // it is free when the last of its holders gives it back
      back.add(item);
    }
    const { batchSize } = this.#options;
    return {
      counted: this.#accounts.map(({ counted }) => counted),
      made: this.#made,
      returned: [...returned, ...back].map(({ sequence, epoch, issues, batches }) => {
        return { sequence, epoch, issues, batches: batches.map(({ shard, start }) => [shard, start / batchSize]) };
      }),
      shards: this.#shards.map(({ shard, batches }) => [shard, batches.length]),
      lastShard: [...this.#lastShard],
    };
  }

  /** The account as it was; workers stay where they are. */
  goBackTo(facts: LedgerFacts): void {
    this.restore({ ...facts, lastShard: [...this.#lastShard] });
  }

  /**
   * Goes on from there. No item that was taken before may be landed or given back afterwards. Throws, with the account as it
   * was, when the facts are not of this data: when not every sample of every epoch is counted, returned or left, once.
   */
  restore({ counted, made, returned, shards, lastShard }: LedgerFacts): void {
    const { epochs } = this.#options;
    if (counted.length > epochs) throw new Error(`ledger: ${counted.length} epochs begun, of ${epochs}`);
    const batches = new Batches(this.#options);
    const items = returned.map((item) => {
      const own = item.batches.map(([shard, index]) => batches.take(item.epoch, shard, index));
      return { ...newItem(item.sequence, item.epoch, own), issues: item.issues };
    });
    const last = counted.length - 1;
    const left = shards.map(([shard, many]) => ({ shard, batches: batches.takeLast(last, shard, many) }));
    counted.forEach((samples, epoch) => {
      const all = samples + batches.taken(epoch);
      if (all === this.samplesPerEpoch) return;
      throw new Error(`ledger: ${all} samples of epoch ${epoch} in all, expected ${this.samplesPerEpoch}`);
    });
    this.#accounts.splice(0, Infinity, ...counted.map((samples, epoch) => ({ epoch, leased: 0, counted: samples })));
    this.#returned.splice(0, Infinity, ...items);
    this.#shards = left;
    this.#made = made;
    this.#counted = counted.reduce((a, b) => a + b, 0);
    this.#lastShard.clear();
    for (const [worker, shard] of lastShard) this.#lastShard.set(worker, shard);
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
