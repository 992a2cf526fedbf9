// Follows the run's public data by polling: what a visitor may know before contributing, and the curves. Polling, not the
// dashboard's socket: its snapshots carry every worker's row, which a page of volunteers would get once each.

import type { MetricsPage, RunSummary } from '../../shared/protocol/snapshots.ts';
import { ApiFailure, requestJson } from '../page/api.ts';
import type { History } from '../page/history.ts';
import type { Store } from '../page/store.ts';
import { isContributing, isOpen, pickRun, type VolunteerState } from './state.ts';

const VISITING_MS = 2000;
/** While contributing the worker brings the run's figures: only the curves are polled for. */
const CONTRIBUTING_MS = 5000;
const UNREACHABLE_MS = 5000;

export interface Feed {
  /** Polls now, and from then on. */
  readonly poll: () => void;
}

export function createFeed(store: Store<VolunteerState>, curves: History, requested: string | null): Feed {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let polling = false;

  const tick = async (): Promise<void> => {
    if (polling) return;
    polling = true;
    clearTimeout(timer);
    // A page that nobody sees and that computes nothing asks for nothing.
    if (!document.hidden || isContributing(store.get())) await refresh(store, curves, requested);
    polling = false;
    timer = setTimeout(() => void tick(), pause(store.get()));
  };

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void tick();
  });
  return { poll: () => void tick() };
}

function pause(state: VolunteerState): number {
  if (state.link === 'unreachable') return UNREACHABLE_MS;
  return isContributing(state) ? CONTRIBUTING_MS : VISITING_MS;
}

async function refresh(store: Store<VolunteerState>, curves: History, requested: string | null): Promise<void> {
  const shown = store.get().run;
  try {
    const run = await findRun(store.get(), requested);
    if (run?.id !== shown?.id) curves.clear();
    store.patch({ link: 'ready', run });
    if (run === null) return;
    const page = await requestJson<MetricsPage>(
      `/api/runs/${encodeURIComponent(run.id)}/metrics?since=${curves.cursor}`,
    );
    curves.merge(page);
    store.patch({ curveRevision: curves.revision });
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    store.patch({ link: 'unreachable' });
  }
}

/** Stays with the run that is shown while it is open or contributed to; else looks for one. */
async function findRun(state: VolunteerState, requested: string | null): Promise<RunSummary | null> {
  const { run } = state;
  const id = run !== null && (isOpen(run) || isContributing(state)) ? run.id : requested;
  if (id !== null) {
    try {
      return await requestJson<RunSummary>(`/api/runs/${encodeURIComponent(id)}`);
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return null;
      throw error;
    }
  }
  return pickRun(await requestJson<RunSummary[]>('/api/runs'));
}
