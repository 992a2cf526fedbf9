// What the volunteer's page knows, and how it changes. Pure.

import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import type { Backend } from '../../shared/protocol/messages.ts';
import { NOTHING_DONE } from '../../shared/volunteer/view.ts';
import type { VolunteerPhase, VolunteerView } from '../worker/bridge.ts';

export interface VolunteerState {
  readonly link: 'loading' | 'ready' | 'unreachable';
  /** Null with a ready link: the coordinator has no run. */
  readonly run: RunSummary | null;
  /** What the Web Worker says; null until the first contribution. */
  readonly view: VolunteerView | null;
  /** Changes with the curves, which are kept outside. */
  readonly curveRevision: number;
}

export const EMPTY_STATE: VolunteerState = { link: 'loading', run: null, view: null, curveRevision: 0 };

const STARTING_VIEW: VolunteerView = {
  phase: 'checking',
  message: null,
  device: null,
  worker: null,
  ...NOTHING_DONE,
};

/** No Web Worker computes in these. */
const RESTING: readonly VolunteerPhase[] = ['finished', 'stopped', 'failed'];

export const isOver = (view: VolunteerView): boolean => RESTING.includes(view.phase);
/** The page is lending its machine now, or has only paused. */
export const isContributing = (state: VolunteerState): boolean => state.view !== null && !isOver(state.view);
/** Work can be had of this run, now or after a pause. */
export const isOpen = (run: RunSummary): boolean => run.status === 'running' || run.status === 'paused';

/** What is shown of the run are the last figures that came: the coordinator does not answer the page or its worker. */
export const isStale = ({ link, run, view }: VolunteerState): boolean =>
  run !== null && (link === 'unreachable' || view?.phase === 'reconnecting');

export function contributionStarted(state: VolunteerState): VolunteerState {
  return { ...state, view: STARTING_VIEW };
}

/** Back to the invitation: something in it has to be changed first. */
export function contributionReconsidered(state: VolunteerState): VolunteerState {
  return { ...state, view: null };
}

/** The run in a view is newer than what was polled. */
export function viewArrived(state: VolunteerState, view: VolunteerView): VolunteerState {
  return { ...state, view, run: view.run ?? state.run };
}

/** The Web Worker is gone without a word: the counts of its last view stay. */
export function contributionEnded(
  state: VolunteerState,
  phase: 'stopped' | 'failed',
  message: string | null,
): VolunteerState {
  return { ...state, view: { ...(state.view ?? STARTING_VIEW), phase, message } };
}

/** The run a page without `?run=` offers: the first that runs, else the first paused, else the first of all. */
export function pickRun(runs: readonly RunSummary[]): RunSummary | null {
  return runs.find((run) => run.status === 'running') ?? runs.find((run) => run.status === 'paused') ?? runs[0] ?? null;
}

export interface PageRequest {
  readonly run: string | null;
  /** For trying a backend out; null: the best that works. */
  readonly backend: Backend | null;
}

const CHOOSABLE = ['webgpu', 'webgl', 'wasm', 'cpu'] as const satisfies readonly Backend[];

/** `?run=<id>&backend=<name>` of the page's address. */
export function readAddress(search: string): PageRequest {
  const query = new URLSearchParams(search);
  const backend = query.get('backend');
  return { run: query.get('run') || null, backend: CHOOSABLE.find((name) => name === backend) ?? null };
}
