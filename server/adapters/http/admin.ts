// What only the operator may do, but for the method: sessions, the token, runs' commands, who may take part.

import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import * as z from 'zod/mini';
import { asWorkerId, deviceOf, type RunId } from '../../../shared/ids.ts';
import type { Door } from '../../door.ts';
import type { WithRun } from './api.ts';
import type { Gate } from './gate.ts';
import type { Operator } from './operator.ts';

export interface AdminOptions {
  readonly door: Door;
  readonly gate: Gate;
  readonly operator: Operator;
  readonly withRun: WithRun;
  readonly log: Logger;
}

const BODY_BYTES_MAX = 4096;
const REASON_CHARS_MAX = 200;
const TOKEN_GIVEN = 'ADMIN_TOKEN of the environment counts again after the next start: change it there too';
const KEPT = 'the token stays as it is: another could not be written to the state folder; the log says why';
const REASON_EXPECTED = `expected a reason of at most ${REASON_CHARS_MAX} characters, and nothing else`;
const WORKER = /^[wg][0-9a-f]{20}(-\d{1,2})?$/;
const banSchema = z.strictObject({ reason: z._default(z.string().check(z.maxLength(REASON_CHARS_MAX)), '') });

export function addAdmin(api: Router, options: AdminOptions): void {
  addSessions(api, options);
  addCommands(api, options);
  addBans(api, options);
}

/** Behind a proxy that ends TLS it is the page's own address that says so. */
const secure = ({ secure: tls, headers }: Request): boolean => tls || headers.origin?.startsWith('https:') === true;

function addSessions(api: Router, { gate, operator, log }: AdminOptions): void {
  api.get('/admin', gate.admin, (_request, response) => void response.json({ ok: true }));
  // Not a 401 for a visitor: the page asks before it knows.
  api.get(
    '/admin/session',
    (request, response) => void response.json({ signedIn: operator.signedIn(request.headers) }),
  );
  api.post('/admin/session', gate.admin, (request, response) => {
    response.setHeader('set-cookie', operator.open(secure(request)));
    gate.audit(request, 'signed in');
    response.json({ ok: true });
  });
  api.delete('/admin/session', (request, response) => {
    const signedIn = operator.signedIn(request.headers);
    response.setHeader('set-cookie', operator.end(request.headers, secure(request)));
    if (signedIn) gate.audit(request, 'signed out');
    response.status(204).end();
  });
  api.post('/admin/rotate', gate.admin, async (request, response) => {
    try {
      const token = await operator.rotate();
      gate.audit(request, 'changed the operator’s token');
      if (response.locals['by'] === 'session') response.setHeader('set-cookie', operator.open(secure(request)));
      response.json(operator.tokenGiven ? { token, warning: TOKEN_GIVEN } : { token });
    } catch (error) {
      log.error({ err: error }, 'the operator’s token stays as it is: another could not be written down');
      response.status(503).json({ error: KEPT });
    }
  });
}

function addCommands(api: Router, { door, gate, withRun }: AdminOptions): void {
  for (const command of ['pause', 'resume', 'stop'] as const) {
    const obey = (run: RunId, request: Request, response: Response): void => {
      door.dispatch({ type: 'operator', run, command });
      gate.audit(request, command, run);
      response.json(door.summary(run));
    };
    api.post(`/runs/:id/${command}`, gate.admin, withRun(obey));
  }
}

function addBans(api: Router, { door, gate, withRun }: AdminOptions): void {
  api.get(
    '/runs/:id/admission',
    gate.admin,
    withRun((run, _request, response) => response.json(door.admission(run))),
  );
  const body = express.json({ limit: BODY_BYTES_MAX, type: () => true });
  for (const verb of ['ban', 'unban'] as const) {
    const change = withRun((run, request, response) => {
      const worker = String(request.params['worker']);
      const wanted = banSchema.safeParse(request.body ?? {});
      if (!WORKER.test(worker)) return response.status(404).json({ error: 'there is no such worker' });
      if (!wanted.success) return response.status(400).json({ error: REASON_EXPECTED });
      const device = deviceOf(asWorkerId(worker));
      const reason = wanted.data.reason.trim() || 'by the operator';
      door.dispatch(
        verb === 'ban' ? { type: 'ban', run, worker: device, reason } : { type: 'unban', run, worker: device },
      );
      gate.audit(request, verb === 'ban' ? `banned ${device} (${reason})` : `lifted the ban of ${device}`, run);
      return response.json(door.workers(run).filter(({ id }) => deviceOf(asWorkerId(id)) === device));
    });
    api.post(`/runs/:id/workers/:worker/${verb}`, gate.admin, body, unreadable, change);
  }
}

/** A body that is not JSON, or too much of it. Express knows it by its four parameters. */
export const unreadable: ErrorRequestHandler = (error: { status?: number }, _request, response, next) => {
  if (error.status === undefined) return next(error);
  response.status(error.status).json({ error: 'the body is not a JSON object of what is asked for here' });
};
