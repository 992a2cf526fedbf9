// The API of people and programs: runs, workers, curves, commands. JSON over HTTP; documented in docs/API.md.

import { createHash, timingSafeEqual } from 'node:crypto';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { asRunId, type RunId } from '../../../shared/ids.ts';
import type { Layout } from '../../../shared/model/layout.ts';
import type { Method } from '../../core/method.ts';
import type { Door } from '../../door.ts';
import { methodChange } from './method.ts';
import { encodeSafetensors } from './safetensors.ts';

export interface ApiOptions {
  readonly door: Door;
  readonly adminToken: string;
  readonly methods: ReadonlyMap<string, Method>;
  readonly layout: (run: RunId) => Layout;
  /** The Prometheus page. */
  readonly metricsText: () => Promise<{ contentType: string; text: string }>;
}

/** A method's hyper-parameters are a dozen numbers. */
const METHOD_BYTES_MAX = 16_384;

type WithRun = (handler: (run: RunId, request: Request, response: Response) => void) => RequestHandler;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Lets through who shows the operator's token. Compared in constant time. */
function operatorOnly(adminToken: string): RequestHandler {
  const expected = sha256(adminToken);
  return (request, response, next) => {
    const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
    if (scheme === 'Bearer' && timingSafeEqual(sha256(token), expected)) next();
    else response.status(401).json({ error: 'expected Authorization: Bearer and the operator’s token' });
  };
}

export function addApi(app: Express, { door, adminToken, methods, layout, metricsText }: ApiOptions): void {
  const api = express.Router();
  const admin = operatorOnly(adminToken);
  const withRun: WithRun = (handler) => (request, response) => {
    const run = asRunId(String(request.params['id']));
    if (door.has(run)) handler(run, request, response);
    else response.status(404).json({ error: `there is no run "${run}"` });
  };

  api.get('/health', (_request, response) => {
    response.json({ status: 'ok', runs: door.summaries().length, uptimeSeconds: Math.round(process.uptime()) });
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
  api.get('/admin', admin, (_request, response) => void response.json({ ok: true }));
  api.get('/runs', (_request, response) => void response.json(door.summaries()));
  api.get('/runs/:id', withRun((run, _request, response) => response.json(door.summary(run)))); // prettier-ignore
  api.get('/runs/:id/workers', withRun((run, _request, response) => response.json(door.workers(run)))); // prettier-ignore
  api.get('/runs/:id/ledger', withRun((run, _request, response) => response.json(door.ledger(run)))); // prettier-ignore
  api.get(
    '/runs/:id/metrics',
    withRun((run, request, response) => {
      const since = Number(request.query['since'] ?? 0);
      if (Number.isInteger(since) && since >= 0) response.json(door.metrics(run, since));
      else response.status(400).json({ error: 'since: expected a whole number, the `next` of an earlier answer' });
    }),
  );
  api.get(
    '/runs/:id/model.safetensors',
    withRun((run, _request, response) => {
      const { version } = door.summary(run);
      response.attachment(`${run}-v${version}.safetensors`).type('application/octet-stream');
      response.send(encodeSafetensors(layout(run), door.params(run), { run, version: String(version) }));
    }),
  );
  addCommands(api, admin, { door, withRun });
  addMethodChange(api, admin, { door, withRun, methods });
  api.use((_request, response) => void response.status(404).json({ error: 'there is no such address' }));

  app.use('/api', api);
  app.get('/metrics', (_request, response, next) => {
    metricsText().then(({ contentType, text }) => response.type(contentType).send(text), next);
  });
}

/** What only the operator may do. */
function addCommands(api: Router, admin: RequestHandler, { door, withRun }: { door: Door; withRun: WithRun }): void {
  for (const command of ['pause', 'resume', 'stop'] as const) {
    const obey = withRun((run, _request, response) => {
      door.dispatch({ type: 'operator', run, command });
      response.json(door.summary(run));
    });
    api.post(`/runs/:id/${command}`, admin, obey);
  }
}

/** Another method for a live run, from the θ it has. */
function addMethodChange(
  api: Router,
  admin: RequestHandler,
  { door, withRun, methods }: Pick<ApiOptions, 'door' | 'methods'> & { withRun: WithRun },
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
    return response.json(door.summary(run));
  });
  api.post('/runs/:id/method', admin, express.json({ limit: METHOD_BYTES_MAX, type: () => true }), unreadable, change);
}

/** A body that is not JSON, or too much of it. Express knows it by its four parameters. */
const unreadable: ErrorRequestHandler = (error: { status?: number }, _request, response, next) => {
  if (error.status === undefined) return next(error);
  response.status(error.status).json({ error: 'the body is not a JSON object of a method and its hyper-parameters' });
};
