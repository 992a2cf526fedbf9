// Asks the coordinator for what snapshots no longer bring: older notes, and the roll-backs that the loss curve marks.

import { rolledBackVersion } from '../../shared/protocol/rolled-back.ts';
import type { NoteKind, NoteRow } from '../../shared/protocol/snapshots.ts';
import { ApiFailure, requestJson } from '../page/api.ts';
import type { Store } from '../page/store.ts';
import { kindsOf, oldestOf, olderArrived, operatorArrived } from './notes.ts';
import type { DashboardState } from './state.ts';

const PAGE_NOTES = 50;
/** What a coordinator without records answers. */
const NO_RECORDS = 404;
/** More marks than a chart can show. */
const MARKS_MAX = 100;

export interface NotesFeed {
  /** Asks for the page before the oldest that is held. */
  older(): void;
  /** Learns what the operator has done lately, here or elsewhere. */
  refreshOperator(): void;
  /** Learns of the run's roll-backs if there were more since it was last asked. */
  followRollbacks(): void;
}

interface Question {
  readonly kinds: readonly NoteKind[] | null;
  readonly before: number | null;
  readonly limit: number;
}

export function createNotesFeed(store: Store<DashboardState>): NotesFeed {
  /** Of which run how many are known, or being asked for. */
  let asked: { readonly run: string; readonly count: number } | null = null;
  let recorded = true;
  return {
    older: () => void older(store),
    refreshOperator: () => {
      if (recorded) void refreshOperator(store).then((answered) => (recorded = answered));
    },
    followRollbacks: () => {
      const { run } = store.get();
      if (run === null || run.rollbacks === 0) return;
      if (asked?.run === run.id && asked.count === run.rollbacks) return;
      asked = { run: run.id, count: run.rollbacks };
      void rollbacks(store, run.id);
    },
  };
}

async function older(store: Store<DashboardState>): Promise<void> {
  const { runId, notes } = store.get();
  if (runId === null || notes.more === 'loading') return;
  const { group } = notes;
  store.patch({ notes: { ...notes, more: 'loading' } });
  const still = (): boolean => store.get().runId === runId && store.get().notes.group === group;
  try {
    const page = await question(runId, { kinds: kindsOf(group), before: oldestOf(notes), limit: PAGE_NOTES });
    if (still()) store.patch({ notes: olderArrived(store.get().notes, page, { group, limit: PAGE_NOTES }) });
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const more = error.status === NO_RECORDS ? 'none' : 'failed';
    if (still()) store.patch({ notes: { ...store.get().notes, more } });
  }
}

/** False when there are no records to ask. */
async function refreshOperator(store: Store<DashboardState>): Promise<boolean> {
  const { runId } = store.get();
  if (runId === null) return true;
  try {
    const latest = await question(runId, { kinds: ['operator'], before: null, limit: PAGE_NOTES });
    if (store.get().runId === runId) store.patch({ notes: operatorArrived(store.get().notes, latest) });
    return true;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    return error.status !== NO_RECORDS;
  }
}

async function rollbacks(store: Store<DashboardState>, runId: string): Promise<void> {
  const page = await question(runId, { kinds: ['rolled-back'], before: null, limit: MARKS_MAX }).catch(() => []);
  if (store.get().runId !== runId) return;
  // The latest may not be among the records yet, and there may be none.
  const notes = [...page, ...store.get().notes.live.filter(({ kind }) => kind === 'rolled-back')];
  const versions = notes.map(({ text }) => rolledBackVersion(text)).filter((version) => version !== null);
  store.patch({ rollbacks: [...new Set(versions)].sort((a, b) => a - b) });
}

function question(run: string, { kinds, before, limit }: Question): Promise<NoteRow[]> {
  const query = new URLSearchParams({ limit: String(limit), kind: kinds?.join(',') ?? 'all' });
  if (before !== null) query.set('before', String(before));
  return requestJson<NoteRow[]>(`/api/runs/${encodeURIComponent(run)}/events?${query.toString()}`);
}
