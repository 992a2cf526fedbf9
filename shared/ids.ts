// The names of things on the wire, as branded strings: one kind of id cannot be passed for another.

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** One training: chosen by the operator, e.g. `digits`. */
export type RunId = Brand<string, 'RunId'>;
/** One worker of one run: given by the coordinator at admission. */
export type WorkerId = Brand<string, 'WorkerId'>;
/** The right to one push: given by the coordinator, never reused. */
export type LeaseId = Brand<string, 'LeaseId'>;

export const asRunId = (text: string): RunId => text as RunId;
export const asWorkerId = (text: string): WorkerId => text as WorkerId;
export const asLeaseId = (text: string): LeaseId => text as LeaseId;
