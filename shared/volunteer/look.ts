// What phase the volunteer is in, and what a person is told about it. A pure decision; the figures are in progress.ts.

import type { WaitReason } from '../protocol/lease.ts';
import type { WorkerStatus } from '../protocol/messages.ts';
import { refusalText } from '../protocol/version.ts';
import type { Link } from './link.ts';
import type { VolunteerView } from './view.ts';
import * as words from './words.ts';

export type Look = Pick<VolunteerView, 'phase' | 'message'>;

/** All that the phase depends on, as it is when it is read. */
export interface Situation {
  readonly wishes: { readonly userPaused: boolean; readonly operatorPaused: boolean; readonly hidden: boolean };
  /** `trouble`: why another device is being chosen. */
  readonly device: { readonly ready: boolean; readonly trouble: string | null };
  readonly link: Pick<Link, 'joined' | 'turnedAway' | 'session'>;
  readonly work: { readonly inHand: number; readonly waiting: WaitReason | null };
}

export function lookOf({ wishes, device, link, work }: Situation): Look {
  if (!device.ready) return { phase: 'checking', message: device.trouble };
  if (wishes.userPaused) return { phase: 'paused', message: null };
  if (link.turnedAway !== null) return { phase: 'waiting', message: refusalText(link.turnedAway) };
  if (!link.joined) {
    if (link.session === null) return { phase: 'connecting', message: null };
    return { phase: 'reconnecting', message: words.RECONNECTING_TEXT };
  }
  if (work.inHand > 0) return { phase: 'training', message: null };
  if (wishes.operatorPaused) return { phase: 'waiting', message: words.OPERATOR_PAUSED_TEXT };
  return { phase: 'waiting', message: work.waiting === null ? null : words.waitText(work.waiting) };
}

/** What the coordinator is told of it. */
export function stateOf({ wishes, work }: Situation): WorkerStatus['state'] {
  if (wishes.userPaused) return 'paused';
  if (wishes.hidden) return 'hidden';
  return work.inHand > 0 ? 'training' : 'waiting';
}
