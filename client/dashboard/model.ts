// The dashboard without its looks: one store, the curves, and what an operator can do.

import type { AdmissionRule } from '../../shared/config.ts';
import type { RunSummary, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { ApiFailure, requestJson, type RequestOptions } from '../page/api.ts';
import { History } from '../page/history.ts';
import { createStore } from '../page/store.ts';
import type { MethodRequest } from './method-form.ts';
import type { MethodInfo } from './methods.ts';
import { createNotesFeed } from './notes-feed.ts';
import { groupChosen, type NoteGroup } from './notes.ts';
import {
  commandDone,
  EMPTY_STATE,
  linkBack,
  methodChanged,
  methodRefused,
  pageTitle,
  runChosen,
  runsArrived,
  snapshotArrived,
  verdictDone,
  verdictRefused,
  type DashboardState,
  type RunCommand,
  type Verdict,
} from './state.ts';
import { refusedAccess, SESSION_ENDED } from './access.ts';
import { cleanToken, takeFragmentToken } from './token.ts';
import { openWatch, type Watch } from './watch.ts';

/** Runs begin rarely; the watched one is live. */
const RUNS_EVERY_MS = 10_000;
const SESSION = '/api/admin/session';

export const store = createStore<DashboardState>(EMPTY_STATE);
export const curves = new History();

const notesFeed = createNotesFeed(store);

let watch: Watch | null = null;

/** Exchanges a token for a session, or goes on with the session that this browser has. */
async function enter(token: string | null): Promise<void> {
  store.patch({ access: { state: 'checking' } });
  try {
    if (!(await opened(token))) return store.patch({ access: { state: 'signed-out' } });
  } catch (error) {
    return store.patch({ access: refusedAccess(failureOf(error)) });
  }
  store.patch({ access: { state: 'granted' } });
  begin();
}

async function opened(token: string | null): Promise<boolean> {
  if (token === null) return (await requestJson<{ signedIn: boolean }>(SESSION)).signedIn;
  await requestJson(SESSION, { method: 'POST', token });
  return true;
}

/** Nothing is asked as the operator while the session ends, nor after. */
let leaving = false;
async function leave(): Promise<void> {
  leaving = true;
  await ask(SESSION, { method: 'DELETE' });
  leaving = false;
  store.patch({ access: { state: 'signed-out' } });
}

function failureOf(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  throw error;
}

/** The answer, or null when there was none: the banner says that the connection is lost, and it is asked again. */
async function ask<T>(path: string, options?: RequestOptions): Promise<T | null> {
  try {
    return await requestJson<T>(path, options);
  } catch (error) {
    failureOf(error);
    return null;
  }
}

function begin(): void {
  if (watch !== null) return;
  watch = openWatch({
    connected: () => {
      store.set(linkBack(store.get()));
      follow();
      void refreshRuns();
    },
    lost: () => store.patch({ link: 'lost' }),
    snapshot: (snapshot) => {
      const before = store.get();
      if (snapshot.run.id !== before.runId) return;
      curves.merge(snapshot.metrics);
      store.set({ ...snapshotArrived(before, snapshot), curveRevision: curves.revision });
      notesFeed.followRollbacks();
    },
  });
  void refreshRuns();
  setInterval(() => void refreshRuns(), RUNS_EVERY_MS);
}

async function refreshRuns(): Promise<void> {
  if (store.get().methods.length === 0) {
    const methods = await ask<MethodInfo[]>('/api/methods');
    if (methods !== null) store.patch({ methods });
  }
  const runs = await ask<RunSummary[]>('/api/runs');
  if (runs !== null) change(runsArrived(store.get(), runs));
  if (store.get().access.state === 'granted' && !leaving) notesFeed.refreshOperator();
}

/** Follows the run of the next state if it is another one. */
function change(next: DashboardState): void {
  const moved = next.runId !== store.get().runId;
  if (moved) curves.clear();
  store.set(moved ? { ...next, curveRevision: curves.revision } : next);
  if (moved) follow();
}

function follow(): void {
  watch?.follow(store.get().runId, curves.cursor);
}

function enterFromAddress(): void {
  const token = takeFragmentToken();
  if (token !== null || store.get().access.state !== 'granted') void enter(token);
}

/** An operator's call. A session that has ended is asked for again. */
async function call<T>(path: string, options: RequestOptions): Promise<T> {
  try {
    return await requestJson<T>(path, options);
  } catch (error) {
    if (failureOf(error).status === 401) store.patch({ access: { state: 'refused', message: SESSION_ENDED } });
    throw error;
  }
}

async function askAdmission(): Promise<void> {
  const { runId } = store.get();
  if (runId === null) return;
  const admission = await ask<AdmissionRule>(`/api/runs/${encodeURIComponent(runId)}/admission`);
  if (store.get().runId === runId) store.patch({ admission });
}

async function send(command: RunCommand): Promise<void> {
  const { runId } = store.get();
  if (runId === null) return;
  store.patch({ command: { state: 'sending', command } });
  try {
    const path = `/api/runs/${encodeURIComponent(runId)}/${command}`;
    store.set(commandDone(store.get(), await call<RunSummary>(path, { method: 'POST' })));
  } catch (error) {
    store.patch({ command: { state: 'failed', message: failureOf(error).message } });
  }
}

async function sendMethod(request: MethodRequest): Promise<void> {
  const { runId } = store.get();
  if (runId === null) return;
  store.patch({ methodDialog: { state: 'sending' } });
  try {
    const path = `/api/runs/${encodeURIComponent(runId)}/method`;
    const run = await call<RunSummary>(path, { method: 'POST', body: request });
    store.set(methodChanged(store.get(), run));
  } catch (error) {
    store.set(methodRefused(store.get(), failureOf(error).message));
  }
}

async function sendVerdict(reason: string): Promise<void> {
  const { runId, verdictDialog } = store.get();
  if (runId === null || verdictDialog.state !== 'asking') return;
  const { verdict, worker } = verdictDialog;
  store.patch({ verdictDialog: { state: 'sending', verdict, worker } });
  try {
    const path = `/api/runs/${encodeURIComponent(runId)}/workers/${encodeURIComponent(worker)}/${verdict}`;
    const body = verdict === 'ban' ? { reason } : {};
    store.set(verdictDone(store.get(), await call<WorkerRow[]>(path, { method: 'POST', body })));
  } catch (error) {
    store.set(verdictRefused(store.get(), failureOf(error).message));
  }
}

export const actions = {
  signIn: (text: string): void => {
    const token = cleanToken(text);
    if (token !== null) void enter(token);
    else
      store.patch({ access: { state: 'refused', message: 'A token has letters, digits and signs, without spaces.' } });
  },
  signOut: (): void => void leave(),
  askAdmission: (): void => void askAdmission(),
  chooseRun: (id: string): void => change(runChosen(store.get(), id)),
  command: (command: RunCommand): void => void send(command),
  openMethodDialog: (): void => store.patch({ methodDialog: { state: 'editing', message: null } }),
  /** Stays open until a request that is under way has its answer. */
  closeMethodDialog: (): void => {
    if (store.get().methodDialog.state !== 'sending') store.patch({ methodDialog: { state: 'closed' } });
  },
  changeMethod: (request: MethodRequest): void => void sendMethod(request),
  askVerdict: (verdict: Verdict, worker: string): void =>
    store.patch({ verdictDialog: { state: 'asking', verdict, worker, message: null } }),
  closeVerdict: (): void => {
    if (store.get().verdictDialog.state !== 'sending') store.patch({ verdictDialog: { state: 'closed' } });
  },
  giveVerdict: (reason: string): void => void sendVerdict(reason),
  chooseNotes: (group: NoteGroup): void => store.patch({ notes: groupChosen(store.get().notes, group) }),
  olderNotes: (): void => notesFeed.older(),
};

store.subscribe(() => {
  const title = pageTitle(store.get());
  if (document.title !== title) document.title = title;
});
addEventListener('hashchange', enterFromAddress);
enterFromAddress();
