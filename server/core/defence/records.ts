// What the defences remember of each worker: plain numbers, a few hundred bytes. A worker that leaves and comes back is
// remembered, or leaving would wash it clean; those that pushed longest ago are forgotten first.

import { asWorkerId, deviceOf, type WorkerId } from '../../../shared/ids.ts';

/** As many as a run may have workers (shared/config.ts): 20 MB of numbers at the very most. */
export const RECORDS_MAX = 10_000;

export interface WorkerRecord {
  /** Accepted pushes since it came, or since it lost its trust, but those that pointed against the trusted gradient. */
  trial: number;
  /** Pushes scaled down by the clip or the cap. */
  clipped: number;
  /** ‖push‖ a batch of its last pushes, as they came, oldest first; and their median. */
  norms: number[];
  norm: number;
  /** Pushes that were compared with the trusted gradient. */
  scored: number;
  /** Of the last of these: their cosines, and what the others' were meanwhile; null where there were too few others. */
  cosines: number[];
  others: (number | null)[];
  /** The score spoke against it once, less than a window ago. */
  doubted: boolean;
  /** Leases computed again; of these, how many differed, and how many agreed since the last that did. */
  checked: number;
  failed: number;
  passed: number;
  /** Checks that were drawn while too many others were under way: its next pushes are taken for them. */
  owed: number;
  /** One differed, and not enough agreed since. */
  struck: boolean;
  /** Pushes that were unfit to use, less a quarter for each that was accepted since. */
  broken: number;
  /** How many pushes the run had accepted when the last of these counted; −1 when none did. */
  brokenAt: number;
}

const fresh = (): WorkerRecord => ({
  trial: 0,
  clipped: 0,
  norms: [],
  norm: 0,
  scored: 0,
  cosines: [],
  others: [],
  doubted: false,
  checked: 0,
  failed: 0,
  passed: 0,
  owed: 0,
  struck: false,
  broken: 0,
  brokenAt: -1,
});

export class Records {
  readonly #records = new Map<string, WorkerRecord>();

  get size(): number {
    return this.#records.size;
  }

  /** The worker's, made when it has none. It is now the one that pushed last. */
  touch(worker: string): WorkerRecord {
    const record = this.#records.get(worker) ?? fresh();
    this.#records.delete(worker);
    this.#records.set(worker, record);
    if (this.#records.size > RECORDS_MAX) this.#records.delete(this.#records.keys().next().value!);
    return record;
  }

  find(worker: string): WorkerRecord | undefined {
    return this.#records.get(worker);
  }

  /** What is known of a device, under whatever names it worked at once. */
  forget(device: WorkerId): void {
    for (const worker of this.#records.keys())
      if (deviceOf(asWorkerId(worker)) === device) this.#records.delete(worker);
  }

  all(): IterableIterator<[string, WorkerRecord]> {
    return this.#records.entries();
  }

  snapshot(): [string, WorkerRecord][] {
    return [...this.#records].map(([worker, { norms, cosines, others, ...rest }]) => {
      return [worker, { ...rest, norms: [...norms], cosines: [...cosines], others: [...others] }];
    });
  }

  restore(saved: readonly (readonly [string, WorkerRecord])[]): void {
    this.#records.clear();
    for (const [worker, record] of saved) this.#records.set(worker, record);
  }
}
