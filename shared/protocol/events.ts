// The control plane on socket.io, defined once for both ends. Small JSON only; vectors go over the data plane.
//
//   /         workers: hello → welcome, heartbeats, pause and stop, the run's progress
//   /watch    pages: snapshots of one run, at most four a second. The operator's commands are HTTP calls.

import type { Hello, Welcome, WorkerStatus } from './messages.ts';
import type { DashboardSnapshot, RunSummary } from './snapshots.ts';

export const WATCH_NAMESPACE = '/watch';

export interface WorkerToServer {
  /** A challenge for the next hello's proof; over HTTP it is GET /data/challenge. */
  challenge: (answer: (challenge: string) => void) => void;
  hello: (hello: Hello, welcome: (answer: Welcome) => void) => void;
  status: (status: WorkerStatus) => void;
  /** Leases given back unfinished: on pause, on hiding, on a lost device. */
  release: (message: { leases: string[] }) => void;
}

export interface ServerToWorker {
  /** `resume` also means: there is work again for a worker that waits. */
  control: (command: { kind: 'pause' | 'resume' | 'stop' }) => void;
  progress: (run: RunSummary) => void;
}

export interface PageToServer {
  /** Replaces what this page watches; null stops. `since` is the cursor of the last metrics it has. */
  watch: (request: { run: string | null; since: number }) => void;
}

export interface ServerToPage {
  snapshot: (snapshot: DashboardSnapshot) => void;
}
