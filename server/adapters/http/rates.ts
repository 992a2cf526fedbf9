// Holds calls of the API and requests for pages to the limits of their address.

import type { RequestHandler } from 'express';
import type { Guard } from '../../guard.ts';

export function limitRates(guard: Guard): RequestHandler {
  return (request, response, next) => {
    guard.seconds('page', guard.address(request)).then((seconds) => {
      if (seconds === 0) return next();
      response.setHeader('retry-after', String(seconds));
      response.status(429).json({ error: 'too many requests from this address' });
    }, next);
  };
}

/** Models that are being downloaded hold a copy of the parameters each. */
const DOWNLOADS_MAX = 8;
const DOWNLOADS_RETRY_SECONDS = 5;

/** Lets through so many requests at a time, and asks the others to come back. */
export function limitDownloads(): RequestHandler {
  let underWay = 0;
  return (_request, response, next) => {
    if (underWay >= DOWNLOADS_MAX) {
      response.setHeader('retry-after', String(DOWNLOADS_RETRY_SECONDS));
      response.status(503).json({ error: 'others are downloading: try again in a few seconds' });
      return;
    }
    underWay += 1;
    response.once('close', () => (underWay -= 1));
    next();
  };
}
