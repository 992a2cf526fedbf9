// One HTTP server for everything: the data plane first, then the API, then the pages.

import { createServer, type Server } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { addApi, type ApiOptions } from './api.ts';
import { dataPlane } from './dataplane.ts';
import { Plane, type PlaneOptions } from './plane.ts';
import { dataStream } from './stream.ts';

/** Longer than most steps: a socket that is closed between two pushes costs a handshake each time. */
const KEEP_ALIVE_MS = 75_000;
/** The body of a push on a slow line: 4 MB at 1 Mbit/s takes 32 s. */
const REQUEST_TIMEOUT_MS = 120_000;
/** A peer that vanished without a word is found out by TCP's own probes: streams are silent while nothing is asked. */
const PROBE_AFTER_MS = 60_000;

export interface HttpOptions extends ApiOptions, PlaneOptions {
  /** Folder of the built pages. */
  readonly pages: string;
  readonly log: Logger;
}

export interface Http {
  readonly server: Server;
  /** Cuts off every connection, also those that have become streams. */
  readonly closeConnections: () => void;
}

/** `upgrades`: the paths, by their beginning, of WebSockets that somebody else serves. */
export function httpServer(options: HttpOptions, upgrades: readonly string[]): Http {
  const plane = new Plane(options);
  const data = dataPlane(options.door, plane);
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'script-src': ["'self'", "'wasm-unsafe-eval'"], // the wasm backend compiles its kernels; nothing is eval'ed
          'style-src': ["'self'", "'unsafe-inline'"], // Radix positions pop-overs with inline styles
          'img-src': ["'self'", 'data:'],
          'font-src': ["'self'"],
          'connect-src': ["'self'"],
          'worker-src': ["'self'"],
          'manifest-src': ["'self'"],
          'base-uri': ["'none'"],
          'form-action': ["'none'"],
          'frame-ancestors': ["'none'"],
        },
      },
      strictTransportSecurity: false, // the coordinator speaks plain http unless it is given a certificate
    }),
  );
  addApi(app, options);
  app.use(express.static(options.pages, { index: 'index.html', setHeaders: cachePages }));
  app.get('/admin', (_request, response) => response.sendFile('index.html', { root: options.pages }));
  app.use((_request, response) => void response.status(404).type('text').send('There is no such page.'));
  app.use(failed(options.log));

  const server = createServer({ keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS }, (request, response) => {
    if (request.url?.startsWith('/data/')) data(request, response);
    else (app as (request: unknown, response: unknown) => void)(request, response);
  });
  const closeStreams = dataStream(server, { door: options.door, plane, others: upgrades });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 5_000;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  return {
    server,
    closeConnections: () => {
      server.closeAllConnections();
      closeStreams();
    },
  };
}

/** The last resort: our own error, told to the log and not to the client. Express knows it by its four parameters. */
function failed(log: Logger): ErrorRequestHandler {
  return (error: Error, request, response, next) => {
    log.error({ err: error, path: request.path }, 'a request failed');
    if (response.headersSent) return next(error);
    response.status(500).json({ error: 'the coordinator failed to answer this; its log says why' });
  };
}

/** Vite names assets by their content: they never change. The page itself is asked for again each time. */
function cachePages(response: { setHeader(name: string, value: string): void }, file: string): void {
  const immutable = /[\\/]assets[\\/]/.test(file);
  response.setHeader('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
}
