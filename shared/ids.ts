// The names of things on the wire, as branded strings: one kind of id cannot be passed for another.

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** One training: chosen by the operator, e.g. `digits`. */
export type RunId = Brand<string, 'RunId'>;
/** One worker of one run: given by the coordinator at admission, from its device's key where it has one. */
export type WorkerId = Brand<string, 'WorkerId'>;
/** The right to one push: given by the coordinator, never reused. */
export type LeaseId = Brand<string, 'LeaseId'>;

export const asRunId = (text: string): RunId => text as RunId;
export const asWorkerId = (text: string): WorkerId => text as WorkerId;
export const asLeaseId = (text: string): LeaseId => text as LeaseId;

/** Tabs of one browser have one key: the first is named by it alone, the others end in -2 to -16. */
export const WORKERS_OF_DEVICE_MAX = 16;
/** The device that a worker computes on: one ban is for all of its workers. */
export const deviceOf = (worker: WorkerId): WorkerId => asWorkerId(worker.replace(/^(w[0-9a-f]{20})-\d+$/, '$1'));
/** Every id that a device's workers may have. */
export const workersOf = (device: WorkerId): WorkerId[] =>
  Array.from({ length: WORKERS_OF_DEVICE_MAX }, (_, i) => (i === 0 ? device : asWorkerId(`${device}-${i + 1}`)));
