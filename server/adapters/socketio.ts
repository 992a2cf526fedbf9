// The control plane on socket.io: workers say hello and are told to pause; pages watch. No logic, and no vectors.

import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import * as z from 'zod/mini';
import { asLeaseId, deviceOf, type RunId, type WorkerId } from '../../shared/ids.ts';
import { WATCH_NAMESPACE, type ServerToWorker, type WorkerToServer } from '../../shared/protocol/events.ts';
import { statusSchema, type Welcome } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION, refusalText } from '../../shared/protocol/version.ts';
import type { Door, Identity } from '../door.ts';
import type { Guard } from '../guard.ts';
import type { UpgradeRules } from '../upgrade.ts';
import { countStrange, engineOptions, keepOut, limitPackets, unsent, UNSENT_PACKETS_MAX } from './socketio/engine.ts';
import { watchPages, type Pages, type WatchOptions } from './socketio/watch.ts';

/** The beginning of the paths that are socket.io's. */
export const CONTROL_PATH = '/socket.io/';
/** Four times a second: more than an eye needs, less than a browser minds. */
const WATCH_EVERY_MS = 250;
const PROGRESS_EVERY_MS = 1000;
/** How socket.io says that the other end closed the connection on purpose; every other end may be a bad network's. */
const GOODBYE = 'client namespace disconnect';

const WORKER_EVENTS: readonly (keyof WorkerToServer)[] = ['challenge', 'hello', 'status', 'release'];

const releaseSchema = z.strictObject({ leases: z.array(z.string().check(z.maxLength(64))).check(z.maxLength(16)) });

const TOO_MANY_HELLOS: Welcome = {
  ...{ ok: false, protocol: PROTOCOL_VERSION, refusal: 'busy' },
  message: refusalText('busy'),
};

interface WorkerData {
  identity?: Identity;
}
type None = Record<string, never>;
type WorkerSocket = Socket<WorkerToServer, ServerToWorker, None, WorkerData>;

export interface ControlPlane {
  control(run: RunId, worker: WorkerId | 'all', kind: 'pause' | 'resume' | 'stop'): void;
  /** Closes the connections of a banned device. */
  cut(run: RunId, worker: WorkerId): void;
  close(): Promise<void>;
}

export type ControlPlaneOptions = WatchOptions & UpgradeRules;

export function controlPlane(http: HttpServer, options: ControlPlaneOptions): ControlPlane {
  const { door, guard } = options;
  const io = new Server<WorkerToServer, ServerToWorker, None, WorkerData>(http, {
    ...engineOptions(guard),
    path: CONTROL_PATH,
    destroyUpgrade: false, // the data plane has WebSockets of its own on this server
  });
  keepOut(io.engine, options);
  limitPackets(io.engine, guard);
  const showPages = watchPages(io.of(WATCH_NAMESPACE) as unknown as Pages, options);
  const sockets = new Map<Identity, WorkerSocket>();
  io.on('connection', (socket) => serveWorker(socket, { door, guard, sockets }));
  const timers = [
    setInterval(paced(door, showPages), WATCH_EVERY_MS),
    setInterval(
      paced(door, () => showWorkers([...sockets.values()], door)),
      PROGRESS_EVERY_MS,
    ),
  ];
  return {
    control: (run, worker, kind) => {
      // Not at once: what a hello brings with it is told after the welcome, and to the socket that said the hello.
      queueMicrotask(() => {
        for (const [identity, socket] of sockets) {
          if (identity.run !== run || (worker !== 'all' && worker !== identity.worker)) continue;
          socket.emit('control', { kind });
        }
      });
    },
    cut: (run, worker) => {
      for (const socket of io.sockets.sockets.values()) {
        const { identity } = socket.data;
        if (identity?.run === run && deviceOf(identity.worker) === deviceOf(worker)) socket.disconnect(true);
      }
    },
    close: async () => {
      timers.forEach(clearInterval);
      await io.close();
    },
  };
}

interface Floor {
  readonly door: Door;
  readonly guard: Guard;
  readonly sockets: Map<Identity, WorkerSocket>;
}

function serveWorker(socket: WorkerSocket, { door, guard, sockets }: Floor): void {
  const address = guard.address(socket.request);
  countStrange(socket, WORKER_EVENTS, guard);
  const part = (type: 'away' | 'leave'): void => {
    const { identity } = socket.data;
    if (!identity || sockets.get(identity) !== socket) return; // it is here on a newer socket
    sockets.delete(identity);
    if (identity.via !== 'socket') return; // it has come back over HTTP
    identity.online = false;
    door.dispatch({ type, run: identity.run, worker: identity.worker });
  };
  /** Who speaks; a worker that was silent until it was forgotten is cut off, and says hello again. */
  const speaker = (): Identity | undefined => {
    const known = socket.data.identity && door.identity(socket.data.identity.token);
    if (socket.data.identity && !known) socket.disconnect(true);
    return known?.online ? known : undefined; // it may have said goodbye over HTTP
  };
  socket.on('challenge', (answer: unknown) => {
    if (typeof answer !== 'function' || unsent(socket) > UNSENT_PACKETS_MAX) return void socket.disconnect(true);
    (answer as (challenge: string) => void)(door.challenge());
  });
  socket.on('hello', (hello: unknown, answer: unknown) => {
    if (typeof answer !== 'function' || unsent(socket) > UNSENT_PACKETS_MAX) return void socket.disconnect(true);
    const welcome = answer as (welcome: Welcome) => void;
    void guard.seconds('hello', address).then((seconds) => {
      if (!socket.connected) return;
      if (seconds > 0) return welcome(TOO_MANY_HELLOS);
      const admission = door.admit(hello, { via: 'socket', address });
      const { identity } = admission;
      if (identity) {
        if (socket.data.identity !== identity) part('leave');
        sockets.set(identity, socket); // a newer socket of the same worker takes the older one's place
        socket.data.identity = identity;
      }
      welcome(admission.welcome);
    });
  });
  socket.on('status', (message: unknown) => {
    const status = statusSchema.safeParse(message);
    const identity = status.success && speaker();
    if (!identity) return;
    door.dispatch({ type: 'status', run: identity.run, worker: identity.worker, state: status.data.state });
  });
  socket.on('release', (message: unknown) => {
    const release = releaseSchema.safeParse(message);
    const identity = release.success && speaker();
    if (!identity) return;
    const leases = release.data.leases.map(asLeaseId);
    door.dispatch({ type: 'release', run: identity.run, worker: identity.worker, leases });
  });
  socket.on('disconnect', (reason) => part(reason === GOODBYE ? 'leave' : 'away'));
}

/** Every so many turns, when there is too much to do. */
function paced(door: Door, show: () => void): () => void {
  let turns = 0;
  return () => {
    turns += 1;
    if (turns < door.pace()) return;
    turns = 0;
    show();
  };
}

function showWorkers(workers: readonly WorkerSocket[], door: Door): void {
  if (workers.length === 0) return;
  const summaries = new Map(door.summaries().map((summary) => [summary.id, summary]));
  for (const worker of workers) {
    const summary = worker.data.identity && summaries.get(worker.data.identity.run);
    if (summary && unsent(worker) <= UNSENT_PACKETS_MAX) worker.emit('progress', summary);
  }
}
