// Puts a coordinator together: runs, loop, evaluator, sockets, pages. Used by main.ts and by the tests.

import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { RunConfig } from '../../shared/config.ts';
import { httpServer, type Http, type HttpOptions } from '../adapters/http/server.ts';
import type { Certificate } from '../adapters/http/sockets.ts';
import { prometheus } from '../adapters/prometheus.ts';
import { CONTROL_PATH, controlPlane } from '../adapters/socketio.ts';
import { loadMethods, type Registry } from '../registry.ts';
import { Guard } from '../guard.ts';
import { Origins } from '../origins.ts';
import type { Limits, Timing } from '../limits.ts';
import { drain, within, type Drained } from './drain.ts';
import { openStateFolder, type StateFolder } from './durable.ts';
import { Ends } from './ends.ts';
import { listen } from './listen.ts';
import type { Loop } from './loop.ts';
import { openLoop, openRun, type Wires } from './open-loop.ts';
import { openOperator } from './open-operator.ts';
import { PAGES_FOLDER } from './pages.ts';
import { beginning } from './resume.ts';
import { readSecret, SECRET_BYTES } from './secret.ts';
import { prepareRun, type RunData } from './rundata.ts';

/** Before anyone is served new runs are written down, if the disk takes them in this time: from then on they are not lost. */
const FIRST_MS = 3000;
/** A disk that takes longer to write the last checkpoints is not waited for. */
const FINISH_MS = 15_000;

export interface StartOptions {
  /** To be opened whatever the state folder has. */
  readonly runs: readonly RunConfig[];
  /** To be opened when `runs` is empty and the state folder is, too. */
  readonly byDefault?: RunConfig;
  /** Begin anew what the state folder has of `runs`, or all of it. */
  readonly fresh?: boolean;
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** For what the coordinator writes; when absent nothing outlives it. */
  readonly stateDir?: string;
  /** The one of the state folder when null. */
  readonly adminToken: string | null;
  /** Further addresses of the coordinator, such as a proxy's. */
  readonly origins?: readonly string[];
  readonly record: string | null;
  /** Of the records: `postgres://…`, null for the state folder, absent for none. */
  readonly databaseUrl?: string | null;
  /** Folder of the built pages; our own when absent. */
  readonly pages?: string;
  /** What a run's method may be; those of our own folder when absent. */
  readonly methods?: Registry;
  /** How much one remote may ask, and how long it may take; the defaults when absent. */
  readonly limits?: Limits;
  readonly timing?: Timing;
  /** Believe a proxy's X-Forwarded-For. */
  readonly trustProxy?: boolean;
  /** With one, everything is served over TLS; plain otherwise. */
  readonly certificate?: Certificate | null;
  readonly hsts?: boolean;
  readonly log: Logger;
}

export interface Started {
  /** Where it listens, e.g. http://127.0.0.1:3000 */
  readonly url: string;
  /** When it began: it may be changed meanwhile. */
  readonly adminToken: string;
  readonly loop: Loop;
  readonly runs: readonly RunData[];
  /** What remotes are held to, and how often they were held back. */
  readonly guard: Guard;
  /** Another certificate, for new connections. Throws when it is none, or there was none. */
  recertify(certificate: Certificate): void;
  /** Hands out no more work, takes in what is under way for at most so long, and closes. */
  stop(graceMs: number): Promise<void>;
  /** Writes the runs down, and closes every socket and thread. */
  close(): Promise<void>;
}

/** Loads the runs, opens them, and listens. Throws one sentence when a run cannot be opened or the port is taken. */
export async function startCoordinator(options: StartOptions): Promise<Started> {
  const ends = new Ends();
  try {
    return await assemble(options, ends);
  } catch (error) {
    await ends.close();
    throw error;
  }
}

async function assemble(options: StartOptions, ends: Ends): Promise<Started> {
  const { port, host, dataDir, stateDir, pages = PAGES_FOLDER, log } = options;
  const methods = options.methods ?? (await loadMethods());
  const folder = await openFolder(options, ends);
  const openings = folder?.openings ?? options.runs.map(beginning);
  const prepared = await Promise.all(openings.map(({ config }) => prepareRun(config, { methods, dataDir })));
  const secret = stateDir === undefined ? randomBytes(SECRET_BYTES) : await readSecret(stateDir);
  const { operator, token: adminToken } = await openOperator({ ...options, stateDir, secret });
  const opened = await openLoop({ ...options, secret, folder }, ends);
  const { loop, coordinator, wires, checkpoints } = opened;
  const boot = folder?.boot.number ?? 0;
  prepared.forEach((data, i) => openRun(data, openings[i]!, boot, opened));
  const byId = new Map(prepared.map((data) => [data.setup.config.id, data.setup]));
  const guard = new Guard(options);
  const origins = new Origins(options.origins ?? []);
  const http: HttpOptions = {
    door: loop,
    guard,
    certificate: options.certificate ?? null,
    hsts: options.hsts ?? false,
    operator,
    origins,
    records: opened.books.records,
    methods,
    log,
    pages,
    layout: (run) => byId.get(run)!.layout,
    paramsCodec: (run) => byId.get(run)!.config.codec.params,
    metricsText: prometheus(loop, guard, (run) => checkpoints?.failures(run) ?? 0),
  };
  const { server, recertify } = openSockets(http, wires, ends);
  ends.add(() => loop.close());
  if (checkpoints) await within(FIRST_MS, checkpoints.idle());
  const at = await listen(server, port, host);
  const close = async (): Promise<void> => {
    if (checkpoints && !(await within(FINISH_MS, checkpoints.finish())))
      log.error(`the disk did not take the last checkpoints within ${FINISH_MS / 1000} s: the ones before them count`);
    await ends.close();
  };
  const dispatch: Drained['dispatch'] = (event) => loop.dispatch(event);
  const stop = async (graceMs: number): Promise<void> => {
    void checkpoints?.finish(); // should the process be ended before the last push is in
    const left = await drain({ dispatch, awaited: () => coordinator.awaited() }, graceMs);
    if (left > 0) log.info(`${left} leases are still out: their work will be leased again`);
    await close();
  };
  return {
    url: `${options.certificate ? 'https' : 'http'}://${at}`,
    recertify,
    guard,
    adminToken,
    loop,
    runs: prepared,
    stop,
    close,
  };
}

function openSockets(http: HttpOptions, wires: Wires, ends: Ends): Pick<Http, 'server' | 'recertify'> {
  const { server, closeConnections, checkStreams, recertify } = httpServer(http, [CONTROL_PATH]);
  const control = controlPlane(server, http);
  wires.control = (run, worker, kind) => control.control(run, worker, kind);
  wires.cut = (run, worker) => {
    control.cut(run, worker);
    checkStreams();
  };
  ends.add(async () => {
    const closed = control.close(); // the HTTP server too, when the last of its connections has ended
    closeConnections();
    await closed;
  });
  return { server, recertify };
}

/** The state folder, this start's alone until the end; null when nothing is to be kept. */
async function openFolder(options: StartOptions, ends: Ends): Promise<StateFolder | null> {
  const { stateDir, runs: given, byDefault = null, fresh = false, log } = options;
  if (stateDir === undefined) return null;
  const folder = await openStateFolder({ stateDir, given, byDefault, fresh, log });
  ends.add(() => folder.unlock());
  return folder;
}
