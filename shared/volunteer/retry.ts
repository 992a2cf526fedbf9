// Whether a request that failed is worth making again, and when.

import type { Rng } from '../rng.ts';
import { backoffMs, type BackoffOptions } from './backoff.ts';
import type { Failure } from './events.ts';
import type { PendingPush } from './hand.ts';
import { PUSH_ATTEMPTS_MAX, PUSH_RETRY, PUSH_RETRY_MS_MAX, RETRY_AFTER_MS_MAX } from './limits.ts';

/** The coordinator does not know who is asking: hello comes first. */
export const isUnrecognised = (failure: Failure): boolean => failure.kind === 'status' && failure.status === 401;

/** More than the coordinator takes in one message: sent again, it would be so again. */
export const isTooLarge = (failure: Failure): boolean => failure.kind === 'status' && failure.status === 413;

/** Another try may go better: no answer, a cut answer, an overloaded or restarting coordinator, or after a new hello. */
export function mayRetry(failure: Failure): boolean {
  if (failure.kind !== 'status') return true;
  return failure.status >= 500 || [401, 408, 425, 429].includes(failure.status);
}

/** The wait after failure number `attempt` (from 0): ours, or the coordinator's Retry-After if that is longer. */
export function waitMs(attempt: number, failure: Failure, by: BackoffOptions & { readonly random: Rng }): number {
  const asked = failure.kind === 'status' ? (failure.retryAfterMs ?? 0) : 0;
  return Math.max(backoffMs(attempt, by, by.random), Math.min(asked, RETRY_AFTER_MS_MAX));
}

/** The push after one more failure, and when to send it again; null to give it up. */
export function retryPush(
  push: PendingPush,
  failure: Failure,
  { nowMs, random }: { readonly nowMs: number; readonly random: Rng },
): { readonly push: PendingPush; readonly pushAtMs: number } | null {
  const attempts = push.attempts + 1;
  const pushAtMs = nowMs + waitMs(push.attempts, failure, { ...PUSH_RETRY, random });
  if (!mayRetry(failure) || attempts >= PUSH_ATTEMPTS_MAX || pushAtMs - push.sinceMs > PUSH_RETRY_MS_MAX) return null;
  return { push: { ...push, attempts }, pushAtMs };
}
