// One HTTP server for everything: the data plane first, then the API, then the pages.

import type { Server } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import { addApi, type ApiOptions } from './api.ts';
import { dataPlane } from './dataplane.ts';
import { turnedAway } from './gate.ts';
import { pageHeaders, SCRIPT_POLICY } from './headers.ts';
import { limitRates } from './rates.ts';
import { Plane, type PlaneOptions } from './plane.ts';
import { limitedServer, type Certificate } from './sockets.ts';
import { dataStream } from './stream.ts';

export interface HttpOptions extends ApiOptions, PlaneOptions {
  /** Folder of the built pages. */
  readonly pages: string;
  /** With one, everything is served over TLS. */
  readonly certificate?: Certificate | null;
  /** Tell browsers to come back over TLS only, for half a year. */
  readonly hsts?: boolean;
}

export interface Http {
  readonly server: Server;
  /** Cuts off every connection, also those that have become streams. */
  readonly closeConnections: () => void;
  /** Closes the streams of workers that are not let in any more. */
  readonly checkStreams: () => void;
  /** Another certificate, for new connections. */
  readonly recertify: (certificate: Certificate) => void;
}

/** `upgrades`: the paths, by their beginning, of WebSockets that somebody else serves. */
export function httpServer(options: HttpOptions, upgrades: readonly string[]): Http {
  const { guard, certificate = null, hsts = false } = options;
  const plane = new Plane(options);
  const data = dataPlane(options.door, plane, guard);
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('trust proxy', guard.trustProxy ? 1 : false);
  app.use(pageHeaders(hsts));
  app.use(limitRates(guard));
  addApi(app, options);
  app.use(express.static(options.pages, { index: 'index.html', setHeaders: dressFiles }));
  app.get('/admin', (_request, response) => response.sendFile('index.html', { root: options.pages }));
  app.use((_request, response) => void response.status(404).type('text').send('There is no such page.'));
  app.use(failed(options.log));

  const { server, recertify } = limitedServer(guard, certificate, (request, response) => {
    if (turnedAway(options.origins, request, response)) return;
    if (request.url?.startsWith('/data/')) data(request, response);
    else (app as (request: unknown, response: unknown) => void)(request, response);
  });
  const streams = dataStream(server, { ...options, plane, others: upgrades });
  return {
    server,
    closeConnections: () => {
      server.closeAllConnections();
      streams.close();
    },
    checkStreams: streams.check,
    recertify,
  };
}

/** The last resort: our own error, told to the log and not to the client. Express knows it by its four parameters. */
function failed(log: Logger): ErrorRequestHandler {
  return (error: Error & { status?: number }, request, response, next) => {
    if (error.status !== undefined && error.status < 500 && !response.headersSent) {
      return void response.status(error.status).json({ error: 'this request cannot be read' }); // theirs
    }
    log.error({ err: error, path: request.path }, 'a request failed');
    if (response.headersSent) return next(error);
    response.status(500).json({ error: 'the coordinator failed to answer this; its log says why' });
  };
}

/** Vite names assets by their content: they never change. The page itself is asked for again each time. */
function dressFiles(response: { setHeader(name: string, value: string): void }, file: string): void {
  const immutable = /[\\/]assets[\\/]/.test(file);
  if (immutable && file.endsWith('.js')) response.setHeader('Content-Security-Policy', SCRIPT_POLICY);
  response.setHeader('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
}
