// What the dashboard knows, and how snapshots change it. Pure. The curves are kept outside (page/history.ts).

import type { AdmissionRule } from '../../shared/config.ts';
import type { DashboardSnapshot, Health, RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { percent } from '../page/format.ts';
import { progressOf, statusTitle } from '../page/words.ts';
import type { MethodInfo } from './methods.ts';
import { NO_NOTES, notesArrived, type Notes } from './notes.ts';

export type Access =
  | { readonly state: 'signed-out' }
  | { readonly state: 'checking' }
  | { readonly state: 'refused'; readonly message: string }
  | { readonly state: 'granted' };

export type RunCommand = 'pause' | 'resume' | 'stop';
export type CommandState =
  | { readonly state: 'idle' }
  | { readonly state: 'sending'; readonly command: RunCommand }
  | { readonly state: 'failed'; readonly message: string };

/** The dialog that changes the method. `message`: why the coordinator did not take the last request. */
export type MethodDialog =
  | { readonly state: 'closed' }
  | { readonly state: 'editing'; readonly message: string | null }
  | { readonly state: 'sending' };

export type Verdict = 'ban' | 'unban';
/** The dialog that bans a worker or lets it in again. `message`: why the last request was not taken. */
export type VerdictDialog =
  | { readonly state: 'closed' }
  | { readonly state: 'asking'; readonly verdict: Verdict; readonly worker: string; readonly message: string | null }
  | { readonly state: 'sending'; readonly verdict: Verdict; readonly worker: string };

export interface DashboardState {
  readonly access: Access;
  readonly link: 'connecting' | 'live' | 'lost';
  /** Null until the coordinator has told. */
  readonly runs: readonly RunSummary[] | null;
  /** The run that is watched. */
  readonly runId: string | null;
  readonly run: RunSummary | null;
  readonly workers: readonly WorkerRow[];
  readonly leases: DashboardSnapshot['leases'] | null;
  readonly health: Health | null;
  readonly notes: Notes;
  /** Versions that the run went on with after it was rolled back. */
  readonly rollbacks: readonly number[];
  readonly methods: readonly MethodInfo[];
  /** Who may be a worker of the watched run; null until it is asked for. */
  readonly admission: AdmissionRule | null;
  readonly command: CommandState;
  readonly methodDialog: MethodDialog;
  readonly verdictDialog: VerdictDialog;
  /** Changes with the curves. */
  readonly curveRevision: number;
}

export const EMPTY_STATE: DashboardState = {
  access: { state: 'signed-out' },
  link: 'connecting',
  runs: null,
  runId: null,
  run: null,
  workers: [],
  leases: null,
  health: null,
  notes: NO_NOTES,
  rollbacks: [],
  methods: [],
  admission: null,
  command: { state: 'idle' },
  methodDialog: { state: 'closed' },
  verdictDialog: { state: 'closed' },
  curveRevision: 0,
};

/** Another run's snapshot, still under way when the run was changed, is passed over. */
export function snapshotArrived(state: DashboardState, snapshot: DashboardSnapshot): DashboardState {
  if (snapshot.run.id !== state.runId) return state;
  return {
    ...state,
    run: snapshot.run,
    workers: reuseRows(state.workers, snapshot.workers),
    leases: snapshot.leases,
    health: snapshot.health,
    notes: notesArrived(state.notes, snapshot.notes),
  };
}

/** Rows that say the same stay the same objects, so that only changed rows are drawn again. */
export function reuseRows(held: readonly WorkerRow[], fresh: readonly WorkerRow[]): readonly WorkerRow[] {
  const byId = new Map(held.map((row) => [row.id, row]));
  return fresh.map((row) => {
    const old = byId.get(row.id);
    return old !== undefined && JSON.stringify(old) === JSON.stringify(row) ? old : row;
  });
}

/** What was known of the former run is forgotten. */
export function runChosen(state: DashboardState, runId: string | null): DashboardState {
  if (runId === state.runId) return state;
  const run = state.runs?.find((one) => one.id === runId) ?? null;
  return {
    ...state,
    runId,
    run,
    workers: [],
    leases: null,
    notes: { ...NO_NOTES, group: state.notes.group },
    rollbacks: [],
    admission: null,
    command: { state: 'idle' },
    methodDialog: { state: 'closed' },
    verdictDialog: { state: 'closed' },
  };
}

/** Keeps the watched run while it exists; else the first that runs, else the first. */
export function runsArrived(state: DashboardState, runs: readonly RunSummary[]): DashboardState {
  const known = { ...state, runs };
  if (runs.some((run) => run.id === state.runId)) return known;
  return runChosen(known, (runs.find((run) => run.status === 'running') ?? runs[0])?.id ?? null);
}

/** The connection stands (again): what failed while there was none is no news any more. */
export function linkBack(state: DashboardState): DashboardState {
  return { ...state, link: 'live', command: state.command.state === 'failed' ? { state: 'idle' } : state.command };
}

/** The answer to a command comes before the next snapshot. */
export function commandDone(state: DashboardState, run: RunSummary): DashboardState {
  const idle: DashboardState = { ...state, command: { state: 'idle' } };
  return run.id === state.runId ? { ...idle, run } : idle;
}

/** The coordinator has taken the change: its answer comes before the next snapshot, and the dialog has done its work. */
export function methodChanged(state: DashboardState, run: RunSummary): DashboardState {
  return run.id === state.runId ? { ...state, run, methodDialog: { state: 'closed' } } : state;
}

/** The dialog says why, if it still waits for the answer. */
export function methodRefused(state: DashboardState, message: string): DashboardState {
  return state.methodDialog.state === 'sending' ? { ...state, methodDialog: { state: 'editing', message } } : state;
}

/** The rows of the device that was judged, in the answer, come before the next snapshot. */
export function verdictDone(state: DashboardState, rows: readonly WorkerRow[]): DashboardState {
  const fresh = new Map(rows.map((row) => [row.id, row]));
  const workers = state.workers.map((row) => fresh.get(row.id) ?? row);
  return state.verdictDialog.state === 'sending' ? { ...state, workers, verdictDialog: { state: 'closed' } } : state;
}

/** The dialog says why, if it still waits for the answer. */
export function verdictRefused(state: DashboardState, message: string): DashboardState {
  const { verdictDialog } = state;
  if (verdictDialog.state !== 'sending') return state;
  return { ...state, verdictDialog: { ...verdictDialog, state: 'asking', message } };
}

/** An ended run goes on with no method. */
export const methodCanChange = ({ status }: RunSummary): boolean => status === 'running' || status === 'paused';

/** The commands that make sense in a state of the run. */
export function commandsFor(run: RunSummary): readonly RunCommand[] {
  switch (run.status) {
    case 'running':
      return ['pause', 'stop'];
    case 'paused':
      return ['resume', 'stop'];
    case 'finished':
    case 'stopped':
      return [];
    default:
      return run.status satisfies never;
  }
}

/** The browser tab's title: how far the watched run is. */
export function pageTitle({ run, link }: DashboardState): string {
  if (run === null) return 'Dashboard · Murmuration';
  const state = run.status === 'running' ? percent(progressOf(run), 0) : statusTitle(run.status);
  return `${link === 'lost' ? 'Offline' : state} · ${run.name} · Murmuration`;
}
