// The API of people and programs: runs, workers, curves, commands. JSON over HTTP; documented in docs/API.md.

import express, { type Express, type Request, type RequestHandler, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import { asRunId, type RunId } from '../../../shared/ids.ts';
import type { Layout } from '../../../shared/model/layout.ts';
import type { Method } from '../../core/method.ts';
import type { Door } from '../../door.ts';
import type { Guard } from '../../guard.ts';
import type { Origins } from '../../origins.ts';
import type { Records } from '../../records.ts';
import { addAdmin, unreadable } from './admin.ts';
import { Gate } from './gate.ts';
import { methodChange } from './method.ts';
import type { Operator } from './operator.ts';
import { addRecords } from './records.ts';
import { limitDownloads, Reads } from './rates.ts';
import { encodeSafetensors } from './safetensors.ts';

export interface ApiOptions {
  readonly door: Door;
  readonly guard: Guard;
  readonly operator: Operator;
  readonly origins: Origins;
  /** Null when none are kept. */
  readonly records: Records | null;
  readonly methods: ReadonlyMap<string, Method>;
  readonly log: Logger;
  readonly layout: (run: RunId) => Layout;
  /** The Prometheus page. */
  readonly metricsText: () => Promise<{ contentType: string; text: string }>;
}

/** A method's hyper-parameters are a dozen numbers. */
const METHOD_BYTES_MAX = 16_384;
/** A worker's row is as long as three points of a curve; for a scrape every worker of every run is looked at. */
const WORKER_ROWS = 3;
const SCRAPE_ROWS = 5000;

export type WithRun = (handler: (run: RunId, request: Request, response: Response) => unknown) => RequestHandler;

export function addApi(app: Express, options: ApiOptions): void {
  const { door, methods, layout, metricsText } = options;
  const api = express.Router();
  const gate = new Gate(options);
  const reads = new Reads(options);
  const withRun: WithRun = (handler) => (request, response) => {
    const run = asRunId(String(request.params['id']));
    if (door.has(run)) return handler(run, request, response);
    response.status(404).json({ error: `there is no run "${run}"` });
  };

  api.get('/health', (_request, response) => {
    response.json(door.health());
  });
  api.get('/methods', (_request, response) => {
    response.json(
      [...methods.values()].map(({ name, title, summary, paper, hyperparameters }) => ({
        name,
        title,
        summary,
        paper,
        hyperparameters: Object.entries(hyperparameters).map(([key, parameter]) => ({ name: key, ...parameter })),
      })),
    );
  });
  api.get('/runs', (_request, response) => void response.json(door.summaries()));
  api.get('/runs/:id', withRun((run, _request, response) => response.json(door.summary(run)))); // prettier-ignore
  addTables(api, { door, reads, withRun });
  api.get(
    '/runs/:id/model.safetensors',
    limitDownloads(options.guard),
    withRun((run, _request, response) => {
      const { version } = door.summary(run);
      response.attachment(`${run}-v${version}.safetensors`).type('application/octet-stream');
      response.send(encodeSafetensors(layout(run), door.params(run), { run, version: String(version) }));
    }),
  );
  addRecords(api, { records: options.records, gate, reads });
  addAdmin(api, { door, gate, operator: options.operator, withRun, log: options.log });
  addMethodChange(api, { door, gate, withRun, methods });
  api.use((_request, response) => void response.status(404).json({ error: 'there is no such address' }));

  app.use('/api', api);
  app.get('/metrics', async (request, response) => {
    if (!(await reads.allows(request, response, SCRAPE_ROWS))) return;
    const { contentType, text } = await metricsText();
    response.type(contentType).send(text);
  });
}

/** What has as many rows as a run is long or large. */
function addTables(
  api: Router,
  { door, reads, withRun }: Pick<ApiOptions, 'door'> & { reads: Reads; withRun: WithRun },
): void {
  const table = <T>(path: string, make: (run: RunId) => readonly T[], weight = 1): void => {
    const answer = (run: RunId, request: Request, response: Response): Promise<void> =>
      reads.answer(request, response, () => {
        const body = make(run);
        return { rows: weight * body.length, body };
      });
    api.get(`/runs/:id/${path}`, withRun(answer));
  };
  table('workers', (run) => door.workers(run), WORKER_ROWS);
  table('ledger', (run) => door.ledger(run));
  const metrics = withRun((run, request, response) => {
    const since = Number(request.query['since'] ?? 0);
    if (!Number.isInteger(since) || since < 0)
      return response.status(400).json({ error: 'since: expected a whole number, the `next` of an earlier answer' });
    return reads.answer(request, response, () => {
      const body = door.metrics(run, since);
      return { rows: body.points.length, body };
    });
  });
  api.get('/runs/:id/metrics', metrics);
}

/** Another method for a live run, from the θ it has. */
function addMethodChange(
  api: Router,
  { door, gate, withRun, methods }: Pick<ApiOptions, 'door' | 'methods'> & { gate: Gate; withRun: WithRun },
): void {
  const change = withRun((run, request, response) => {
    const { status } = door.summary(run);
    if (status === 'finished' || status === 'stopped') {
      return response.status(409).json({ error: `the run is ${status}: it goes on with no method` });
    }
    const wanted = methodChange(request.body, door.method(run), methods);
    if (!wanted.ok) return response.status(400).json({ error: wanted.error });
    const { method, config } = wanted;
    door.dispatch({ type: 'method', run, method, config });
    gate.audit(request, `changed the method to ${method.name}`, run);
    return response.json(door.summary(run));
  });
  api.post(
    '/runs/:id/method',
    gate.admin,
    express.json({ limit: METHOD_BYTES_MAX, type: () => true }),
    unreadable,
    change,
  );
}
