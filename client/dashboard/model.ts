// The dashboard without its looks: one store, the curves, and what an operator can do.

import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { ApiFailure, requestJson, type RequestOptions } from '../page/api.ts';
import { History } from '../page/history.ts';
import { createStore } from '../page/store.ts';
import type { MethodRequest } from './method-form.ts';
import type { MethodInfo } from './methods.ts';
import {
  commandDone,
  EMPTY_STATE,
  methodChanged,
  methodRefused,
  pageTitle,
  runChosen,
  runsArrived,
  snapshotArrived,
  type DashboardState,
  type RunCommand,
} from './state.ts';
import { cleanToken, loadToken, saveToken, takeFragmentToken } from './token.ts';
import { openWatch, type Watch } from './watch.ts';

/** Runs begin rarely; the watched one is live. */
const RUNS_EVERY_MS = 10_000;

export const store = createStore<DashboardState>(EMPTY_STATE);
export const curves = new History();

let token: string | null = null;
let watch: Watch | null = null;

/** Shows the dashboard if the coordinator knows the token. */
async function signIn(candidate: string): Promise<void> {
  store.patch({ access: { state: 'checking' } });
  try {
    await requestJson('/api/admin', { token: candidate });
  } catch (error) {
    refuse(error);
    return;
  }
  token = candidate;
  saveToken(candidate);
  store.patch({ access: { state: 'granted' } });
  begin();
}

function refuse(error: unknown): void {
  const failure = failureOf(error);
  const wrong = failure.status === 401 || failure.status === 403;
  if (wrong) saveToken(null);
  const message = wrong
    ? 'The coordinator does not know this token. It prints the right one when it starts.'
    : failure.message;
  store.patch({ access: { state: 'refused', message } });
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
      store.patch({ link: 'live' });
      follow();
      void refreshRuns();
    },
    lost: () => store.patch({ link: 'lost' }),
    snapshot: (snapshot) => {
      const before = store.get();
      if (snapshot.run.id !== before.runId) return;
      curves.merge(snapshot.metrics);
      store.set({ ...snapshotArrived(before, snapshot), curveRevision: curves.revision });
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
  const candidate = takeFragmentToken() ?? (token === null ? loadToken() : null);
  if (candidate !== null) void signIn(candidate);
}

async function send(command: RunCommand): Promise<void> {
  const { runId } = store.get();
  if (runId === null || token === null) return;
  store.patch({ command: { state: 'sending', command } });
  try {
    const path = `/api/runs/${encodeURIComponent(runId)}/${command}`;
    store.set(commandDone(store.get(), await requestJson<RunSummary>(path, { method: 'POST', token })));
  } catch (error) {
    store.patch({ command: { state: 'failed', message: failureOf(error).message } });
  }
}

async function sendMethod(request: MethodRequest): Promise<void> {
  const { runId } = store.get();
  if (runId === null || token === null) return;
  store.patch({ methodDialog: { state: 'sending' } });
  try {
    const path = `/api/runs/${encodeURIComponent(runId)}/method`;
    const run = await requestJson<RunSummary>(path, { method: 'POST', token, body: request });
    store.set(methodChanged(store.get(), run));
  } catch (error) {
    store.set(methodRefused(store.get(), failureOf(error).message));
  }
}

export const actions = {
  signIn: (text: string): void => {
    const candidate = cleanToken(text);
    if (candidate !== null) void signIn(candidate);
    else
      store.patch({ access: { state: 'refused', message: 'A token has letters, digits and signs, without spaces.' } });
  },
  chooseRun: (id: string): void => change(runChosen(store.get(), id)),
  command: (command: RunCommand): void => void send(command),
  openMethodDialog: (): void => store.patch({ methodDialog: { state: 'editing', message: null } }),
  /** Stays open until a request that is under way has its answer. */
  closeMethodDialog: (): void => {
    if (store.get().methodDialog.state !== 'sending') store.patch({ methodDialog: { state: 'closed' } });
  },
  changeMethod: (request: MethodRequest): void => void sendMethod(request),
};

store.subscribe(() => {
  const title = pageTitle(store.get());
  if (document.title !== title) document.title = title;
});
addEventListener('hashchange', enterFromAddress);
enterFromAddress();
