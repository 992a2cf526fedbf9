// Every bound of the volunteer's side, with its reason.

import type { BackoffOptions } from './backoff.ts';

/** Leases in hand, whatever the coordinator allows: each costs a vector of parameters and one of its gradient. */
export const LEASES_MAX = 8;
/** A hidden tab computes slowly and may be frozen at any time: it holds one lease, so little is lost. */
export const HIDDEN_LEASES_MAX = 1;

/**
 * Connecting, and saying hello: for as long as the volunteer stays. Wholly random, so that those whom one restart has cut off
 * come back evenly; and no longer, so that all are back within 15 s of it.
 */
export const RECONNECT: BackoffOptions = { baseMs: 5_000, capMs: 10_000, fixed: 0 };
/** Once woken, so many waits are shorter than the first of RECONNECT, by halves: a network comes up in a second or two. */
export const HURRIED_TRIES = 3;
/** A coordinator that says we have leases which we do not have is told what we have at most this often. */
export const INTRODUCED_MS_MIN = 10_000;
/** Pulling after a failure; not the waits that the coordinator asks for. */
export const PULL_RETRY: BackoffOptions = { baseMs: 500, capMs: 30_000 };
/** Asking again for a place in a full run. */
export const FULL_RETRY: BackoffOptions = { baseMs: 20_000, capMs: 30_000 };
/** Sending one push again. */
export const PUSH_RETRY: BackoffOptions = { baseMs: 500, capMs: 10_000 };
export const PUSH_ATTEMPTS_MAX = 8;
/** A gradient older than this is stale beyond use in every method, and its lease has expired. */
export const PUSH_RETRY_MS_MAX = 120_000;
export const SHARD_RETRY: BackoffOptions = { baseMs: 500, capMs: 10_000 };
export const SHARD_ATTEMPTS_MAX = 5;
/** The longest Retry-After, or wait, that is obeyed: a wrong header must not park a worker for a day. */
export const RETRY_AFTER_MS_MAX = 60_000;
/** A wait of a coordinator that is busy, or leaving, is lengthened by up to this part of it, so that not all are back at once. */
export const WAIT_JITTER = 0.5;
/** The shortest wait between a pull answered with `wait` and the next. */
export const WAIT_MS_MIN = 50;

/** So many losses of a device within the window, and its backend is not tried again. */
export const LOSSES_MAX = 3;
export const LOSS_WINDOW_MS = 600_000;
/** So many unusable steps in a row, and another backend is chosen. */
export const GARBAGE_IN_A_ROW_MAX = 3;
/** A step still not done after this has hung: the device counts as lost. The slowest seen takes 6 s. */
export const COMPUTE_MS_MAX = 600_000;

/** So late after the time that it asked for, the machine was asleep: the longest step that holds its thread takes 6 s. */
export const SLEPT_MS_MIN = 30_000;
/** So many messages in a row that the coordinator takes for too large, and there is no use in sending another. */
export const TOO_LARGE_IN_A_ROW_MAX = 2;

/** A change between training and waiting is told at most this often; pausing and hiding are told at once. */
export const STATUS_MS_MIN = 1_000;
