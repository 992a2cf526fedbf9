// Puts a coordinator together: runs, loop, evaluator, sockets, pages. Used by main.ts and by the tests.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { RunConfig } from '../../shared/config.ts';
import type { RunId, WorkerId } from '../../shared/ids.ts';
import { Evaluator } from '../adapters/evaluator.ts';
import { httpServer, type HttpOptions } from '../adapters/http/server.ts';
import type { Certificate } from '../adapters/http/sockets.ts';
import { prometheus } from '../adapters/prometheus.ts';
import { Recorder } from '../adapters/recorder.ts';
import { CONTROL_PATH, controlPlane, type ControlPlane } from '../adapters/socketio.ts';
import { Coordinator } from '../core/coordinator.ts';
import type { Effect } from '../core/events.ts';
import { loadMethods, type Registry } from '../registry.ts';
import { Guard } from '../guard.ts';
import { Origins } from '../origins.ts';
import { TIMING, type Limits, type Timing } from '../limits.ts';
import { Loop } from './loop.ts';
import { watchLoad } from './overload.ts';
import { openOperator } from './open-operator.ts';
import { PAGES_FOLDER } from './pages.ts';
import { readSecret, SECRET_BYTES } from './secret.ts';
import { prepareRun, type RunData } from './rundata.ts';

export interface StartOptions {
  readonly runs: readonly RunConfig[];
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
  /** Another certificate, for new connections. Throws when it is none, or there was none. */
  recertify(certificate: Certificate): void;
  /** Closes every socket and thread. */
  close(): Promise<void>;
}

/** Loads the runs, opens them, and listens. Throws one sentence when a run cannot be opened or the port is taken. */
export async function startCoordinator(options: StartOptions): Promise<Started> {
  const { runs, port, host, dataDir, stateDir, record, pages = PAGES_FOLDER, log } = options;
  const methods = options.methods ?? (await loadMethods());
  const prepared = await Promise.all(runs.map((config) => prepareRun(config, { methods, dataDir })));
  if (record) await mkdir(dirname(record), { recursive: true });
  const recorder = record
    ? new Recorder(record, (error) =>
        log.error({ err: error, record }, 'the event log ends here: it cannot be written'),
      )
    : null;
  const secret = stateDir === undefined ? randomBytes(SECRET_BYTES) : await readSecret(stateDir);
  const { operator, token: adminToken } = await openOperator({ ...options, stateDir, secret });
  const origins = new Origins(options.origins ?? []);
  const evaluator = new Evaluator();
  let control: ControlPlane | null = null;
  const overload = watchLoad((options.timing ?? TIMING).busyMs, {
    runs: () => loop.summaries(),
    note: (note) => loop.note(note),
  });
  const loop: Loop = new Loop({
    load: overload.load,
    coordinator: new Coordinator(),
    secret,
    nowMs: () => performance.now(),
    onControl: (run, worker, kind) => control?.control(run, worker, kind),
    onEvaluate: (effect) => evaluate(effect, { evaluator, loop, log }),
    onNote: ({ run, text }) => log.info({ run }, text),
    // Not at once: what the same event answers is still told.
    onCut: (run, worker) => queueMicrotask(() => cutOff(run, worker)),
    ...(recorder && { onEvent: (event, nowMs) => recorder.record(event, nowMs) }),
  });
  for (const data of prepared) openRun(data, loop, evaluator);
  const byId = new Map(prepared.map((data) => [data.setup.config.id, data.setup]));
  const guard = new Guard(options);
  const http: HttpOptions = {
    door: loop,
    guard,
    certificate: options.certificate ?? null,
    hsts: options.hsts ?? false,
    operator,
    origins,
    methods,
    log,
    pages,
    layout: (run) => byId.get(run)!.layout,
    paramsCodec: (run) => byId.get(run)!.config.codec.params,
    metricsText: prometheus(loop),
  };
  const { server, closeConnections, checkStreams, recertify } = httpServer(http, [CONTROL_PATH]);
  const cutOff = (run: RunId, worker: WorkerId): void => {
    control?.cut(run, worker);
    checkStreams();
  };
  const plane = (control = controlPlane(server, { door: loop, guard, origins }));
  const close = async (): Promise<void> => {
    overload.close();
    loop.close();
    const closed = plane.close(); // the HTTP server too, when the last of its connections has ended
    closeConnections();
    await closed;
    await evaluator.close();
    await recorder?.close();
  };
  await listen(server, port, host).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const address = server.address() as AddressInfo;
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `${options.certificate ? 'https' : 'http'}://${shownHost}:${address.port}`,
    recertify,
    adminToken,
    loop,
    runs: prepared,
    close,
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE' ? new Error(`port ${port} of ${host} is taken: choose another with --port`) : error,
      );
    });
    server.listen(port, host, resolve);
  });
}

function openRun(data: RunData, loop: Loop, evaluator: Evaluator): void {
  const { config, model, layout, dataset: spec } = data.setup;
  const { validation, test } = data.dataset;
  const scale = { mean: spec.mean, deviation: spec.deviation };
  evaluator.add({ run: config.id, model, layout, scale, splits: { validation, test } });
  loop.open(data);
}

function evaluate(
  { run, split, version, theta }: Extract<Effect, { type: 'evaluate' }>,
  { evaluator, loop, log }: { evaluator: Evaluator; loop: Loop; log: Logger },
): void {
  evaluator.evaluate(run, split, theta).then(
    ({ loss, accuracy }) => {
      log.info(
        { run, version, loss: Number(loss.toFixed(4)), accuracy: Number(accuracy.toFixed(4)) },
        `${split} measured`,
      );
      loop.dispatch({ type: 'evaluated', run, version, split, loss, accuracy });
    },
    (error: unknown) => {
      log.error({ run, err: error }, `${split} could not be measured`);
      loop.dispatch({ type: 'evaluation-failed', run, split });
    },
  );
}
