// What phase the volunteer is in, and what a person is told about it. A pure decision; the figures are in progress.ts.

import type { WaitReason } from '../protocol/lease.ts';
import type { WorkerStatus } from '../protocol/messages.ts';
import { refusalText } from '../protocol/version.ts';
import type { Link } from './link.ts';
import type { VolunteerView } from './view.ts';
import * as words from './words.ts';

export type Look = Pick<VolunteerView, 'phase' | 'message'>;

export interface Situation {
  readonly deviceReady: boolean;
  /** Why another device is being chosen. */
  readonly trouble: string | null;
  readonly userPaused: boolean;
  readonly operatorPaused: boolean;
  readonly hidden: boolean;
  readonly link: Pick<Link, 'joined' | 'turnedAway' | 'session'>;
  readonly inHand: number;
  readonly waiting: WaitReason | null;
}

export function lookOf({ link, ...now }: Situation): Look {
  if (!now.deviceReady) return { phase: 'checking', message: now.trouble };
  if (now.userPaused) return { phase: 'paused', message: null };
  if (link.turnedAway !== null) return { phase: 'waiting', message: refusalText(link.turnedAway) };
  if (!link.joined) {
    if (link.session === null) return { phase: 'connecting', message: null };
    return { phase: 'reconnecting', message: words.RECONNECTING_TEXT };
  }
  if (now.inHand > 0) return { phase: 'training', message: null };
  if (now.operatorPaused) return { phase: 'waiting', message: words.OPERATOR_PAUSED_TEXT };
  return { phase: 'waiting', message: now.waiting === null ? null : words.waitText(now.waiting) };
}

/** What the coordinator is told of it. */
export function stateOf(now: Pick<Situation, 'userPaused' | 'hidden' | 'inHand'>): WorkerStatus['state'] {
  if (now.userPaused) return 'paused';
  if (now.hidden) return 'hidden';
  return now.inHand > 0 ? 'training' : 'waiting';
}
