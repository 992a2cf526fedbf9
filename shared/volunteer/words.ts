// What the volunteer is told, in words.

import type { Next, WaitReason } from '../protocol/lease.ts';
import type { Welcome } from '../protocol/messages.ts';
import { PROTOCOL_VERSION, REFUSALS, refusalText, type Refusal } from '../protocol/version.ts';

export type StopReason = Extract<Next, { kind: 'stop' }>['reason'];

export const RECONNECTING_TEXT = 'The connection to the coordinator is lost; trying again.';
export const TOO_LARGE_TEXT = 'The coordinator takes what this device sends for too large: reload the page.';
export const OPERATOR_PAUSED_TEXT = 'The operator has paused this run.';

/** Why there is no work now; null where it is too ordinary to mention. */
export function waitText(reason: WaitReason): string | null {
  switch (reason) {
    case 'paused':
      return OPERATOR_PAUSED_TEXT;
    case 'gate':
      return 'Waiting for the other workers.';
    case 'no-work':
      return 'All the work that is left is with other workers.';
    case 'busy':
      return 'The coordinator has more to do than it can.';
    case 'leaving':
      return 'The coordinator stops for a moment.';
    case 'lease-limit':
      return null;
    default:
      return reason satisfies never;
  }
}

export function stopText(reason: StopReason): string {
  switch (reason) {
    case 'finished':
      return 'This run has ended. Thank you.';
    case 'stopped':
      return 'The operator has ended this run.';
    case 'banned':
      return refusalText('banned');
    default:
      return reason satisfies never;
  }
}

/** Why a welcome is none; null when it is one. */
export function refusalIn(welcome: Welcome): Refusal | null {
  if (!welcome.ok) return welcome.refusal;
  if (welcome.protocol === PROTOCOL_VERSION) return null;
  return welcome.protocol > PROTOCOL_VERSION ? 'client-too-old' : 'server-too-old';
}

/** Our own words for a refusal; the coordinator's where it knows one that this version does not. */
export function refusedText(refusal: Refusal, welcome: Welcome): string {
  return welcome.ok || REFUSALS.includes(refusal) ? refusalText(refusal) : welcome.message;
}
