// Puts a coordinator together: runs, loop, evaluator, sockets, pages. Used by main.ts and by the tests.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { RunConfig } from '../../shared/config.ts';
import { Evaluator } from '../adapters/evaluator.ts';
import { httpServer, type HttpOptions } from '../adapters/http/server.ts';
import { prometheus } from '../adapters/prometheus.ts';
import { Recorder } from '../adapters/recorder.ts';
import { CONTROL_PATH, controlPlane, type ControlPlane } from '../adapters/socketio.ts';
import { Coordinator } from '../core/coordinator.ts';
import type { Effect } from '../core/events.ts';
import { loadMethods, type Registry } from '../registry.ts';
import { Loop } from './loop.ts';
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
  readonly adminToken: string;
  readonly record: string | null;
  /** Folder of the built pages; our own when absent. */
  readonly pages?: string;
  /** What a run's method may be; those of our own folder when absent. */
  readonly methods?: Registry;
  readonly log: Logger;
}

export interface Started {
  /** Where it listens, e.g. http://127.0.0.1:3000 */
  readonly url: string;
  readonly loop: Loop;
  readonly runs: readonly RunData[];
  /** Closes every socket and thread. */
  close(): Promise<void>;
}

/** Loads the runs, opens them, and listens. Throws one sentence when a run cannot be opened or the port is taken. */
export async function startCoordinator(options: StartOptions): Promise<Started> {
  const { runs, port, host, dataDir, stateDir, adminToken, record, pages = PAGES_FOLDER, log } = options;
  const methods = options.methods ?? (await loadMethods());
  const prepared = await Promise.all(runs.map((config) => prepareRun(config, { methods, dataDir })));
  if (record) await mkdir(dirname(record), { recursive: true });
  const recorder = record
    ? new Recorder(record, (error) =>
        log.error({ err: error, record }, 'the event log ends here: it cannot be written'),
      )
    : null;
  const evaluator = new Evaluator();
  let control: ControlPlane | null = null;
  const loop: Loop = new Loop({
    coordinator: new Coordinator(),
    secret: stateDir === undefined ? randomBytes(SECRET_BYTES) : await readSecret(stateDir),
    nowMs: () => performance.now(),
    onControl: (run, worker, kind) => control?.control(run, worker, kind),
    onEvaluate: (effect) => evaluate(effect, { evaluator, loop, log }),
    onNote: ({ run, text }) => log.info({ run }, text),
    ...(recorder && { onEvent: (event, nowMs) => recorder.record(event, nowMs) }),
  });
  for (const data of prepared) openRun(data, loop, evaluator);
  const byId = new Map(prepared.map((data) => [data.setup.config.id, data.setup]));
  const http: HttpOptions = {
    door: loop,
    adminToken,
    methods,
    log,
    pages,
    layout: (run) => byId.get(run)!.layout,
    paramsCodec: (run) => byId.get(run)!.config.codec.params,
    metricsText: prometheus(loop),
  };
  const { server, closeConnections } = httpServer(http, [CONTROL_PATH]);
  const plane = (control = controlPlane(server, loop));
  const close = async (): Promise<void> => {
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
    url: `http://${shownHost}:${address.port}`,
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
