// How far a worker is trusted, in words. Pure.

import type { Standing, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { counted } from '../page/format.ts';

const LEVELS: Record<Standing['level'], string> = { newcomer: 'Newcomer', trusted: 'Trusted', banned: 'Banned' };

export const levelTitle = (level: Standing['level']): string => LEVELS[level];

/** A cosine, from −1 to 1. */
export const cosineText = (value: number | null): string =>
  value === null ? '–' : value.toFixed(2).replace('-0.00', '0.00').replace('-', '−');
/** Of an equal share: 1.3×. */
export const influenceText = (value: number | null): string => (value === null ? '–' : `${value.toFixed(1)}×`);
/** Made, and failed of them. */
export const checksText = ({ checked, failed }: Standing): string => (checked === 0 ? '–' : `${checked} · ${failed}`);

/** Everything that is known of it, a sentence each. */
export function standingLines({ standing }: Pick<WorkerRow, 'standing'>): string[] {
  const { level, banned, keyed, cosine, clipped, checked, failed, owed, influence } = standing;
  const lines = [
    banned === null ? '' : `Banned: ${banned}`,
    level === 'newcomer' ? 'New: its pushes count less until there were enough of them' : '',
    keyed ? 'Has proved whose device it is' : 'Known by its session only: its device has shown no key',
    cosine === null
      ? ''
      : `Mean cosine of its last pushes with the gradient on held-out samples: ${cosineText(cosine)}`,
    clipped === 0 ? '' : `${counted(clipped, 'push', 'pushes')} scaled down, being too long`,
    checked === 0 ? '' : `${counted(checked, 'lease')} computed again: ${failed} with another result`,
    owed === 0
      ? ''
      : `${counted(owed, 'check')} of it ${owed === 1 ? 'waits' : 'wait'} for the coordinator to have time`,
    influence === null ? '' : `Lately it has ${influenceText(influence)} an equal share of the influence`,
  ];
  return lines.filter((line) => line !== '');
}

/** What a look at the table should not miss. */
export const isSuspect = ({ level, failed }: Standing): boolean => level === 'banned' || failed > 0;

/** As long as the coordinator takes a reason to be. */
export const REASON_CHARS_MAX = 200;
