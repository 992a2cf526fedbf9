// One Web Worker that trains, from Contribute to Stop: started, told, and taken down. Knows nothing of the training.

import type { Backend } from '../../shared/protocol/messages.ts';
import type { Store } from '../page/store.ts';
import type { PageToWorker, Place, WorkerToPage } from '../worker/bridge.ts';
import { contributionEnded, contributionStarted, isOver, viewArrived, type VolunteerState } from './state.ts';
import { watchTab } from './tab.ts';

/** How long a worker that was told to stop may take to give its leases back: after that they expire by themselves. */
const FAREWELL_MS = 3000;

export interface StartRequest {
  readonly run: string;
  readonly name: string;
  readonly backend: Backend | null;
  readonly joinCode: string | null;
}

export class Contribution {
  readonly #store: Store<VolunteerState>;
  readonly #onEnd: () => void;
  #worker: Worker | null = null;
  #place: Place | null = null;

  /** `onEnd`: after a worker was taken down, for whatever reason. */
  constructor(store: Store<VolunteerState>, onEnd: () => void) {
    this.#store = store;
    this.#onEnd = onEnd;
    watchTab((message) => this.#tell(message));
    addEventListener('pagehide', ({ persisted }) => void (persisted || this.#sayGoodbye()));
  }

  start(request: StartRequest): void {
    this.#end();
    const worker = new Worker(new URL('../worker/entry.ts', import.meta.url), { type: 'module', name: 'trainer' });
    this.#worker = worker;
    worker.addEventListener('message', (event: MessageEvent<WorkerToPage>) => this.#heard(worker, event.data));
    worker.addEventListener('error', (event) => this.#broke(worker, event.message));
    this.#store.set(contributionStarted(this.#store.get()));
    const { backend, ...who } = request;
    this.#tell({ type: 'start', ...who, ...(backend === null ? {} : { backend }) });
    this.#tell({ type: 'visibility', hidden: document.hidden });
  }

  pause(): void {
    this.#tell({ type: 'pause' });
  }

  resume(): void {
    this.#tell({ type: 'resume' });
  }

  stop(): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#tell({ type: 'stop' });
    setTimeout(() => {
      if (this.#worker !== worker) return;
      this.#end();
      this.#store.set(contributionEnded(this.#store.get(), 'stopped', null));
    }, FAREWELL_MS);
  }

  #tell(message: PageToWorker): void {
    this.#worker?.postMessage(message);
  }

  #heard(worker: Worker, message: WorkerToPage): void {
    if (worker !== this.#worker) return;
    if (message.type === 'welcomed') {
      this.#place = message;
      return;
    }
    this.#store.set(viewArrived(this.#store.get(), message.view));
    if (isOver(message.view)) this.#end();
  }

  /** The page is closed, and its worker, which may be in the middle of a step, ends with it. */
  #sayGoodbye(): void {
    if (this.#worker === null || this.#place === null) return;
    const { run, token } = this.#place;
    const headers = { authorization: `Bearer ${token}` };
    const init = { method: 'DELETE', headers, keepalive: true };
    fetch(`/data/runs/${encodeURIComponent(run)}/workers`, init).catch(() => undefined); // nobody is there to be told
  }

  #broke(worker: Worker, reason: string | undefined): void {
    if (worker !== this.#worker) return;
    this.#end();
    const message = reason
      ? `The training program stopped with an error: ${reason}`
      : 'The training program could not be loaded. Reload the page to try again.';
    this.#store.set(contributionEnded(this.#store.get(), 'failed', message));
  }

  /** Frees the GPU. */
  #end(): void {
    if (this.#worker === null) return;
    this.#worker.terminate();
    this.#worker = null;
    this.#place = null;
    this.#onEnd();
  }
}
