// Holds calls of the API and requests for pages to the limits of their address.

import type { Request, RequestHandler, Response } from 'express';
import type { Door } from '../../door.ts';
import type { Guard } from '../../guard.ts';
import { Headcount } from '../../headcount.ts';
import { isGone, whenOver } from './exchange.ts';

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
const DOWNLOADS_PER_ADDRESS_MAX = 2;
const DOWNLOADS_RETRY_SECONDS = 5;

/** Lets through so many requests at a time, and of one address fewer, and asks the others to come back. */
export function limitDownloads(guard: Guard): RequestHandler {
  const underWay = new Headcount();
  return (request, response, next) => {
    const exchange = { request, response };
    if (isGone(exchange)) return;
    const address = guard.address(request);
    if (underWay.all >= DOWNLOADS_MAX || underWay.of(address) >= DOWNLOADS_PER_ADDRESS_MAX) {
      response.setHeader('retry-after', String(DOWNLOADS_RETRY_SECONDS));
      response.status(503).json({ error: 'as many are downloading as may: try again in a few seconds' });
      return;
    }
    whenOver(exchange, underWay.add(address));
    next();
  };
}

/** Paid before anything is looked up, whatever comes of it. */
const ROWS_LEAST = 100;

/** Holds answers of many rows to what their address may read; while the coordinator is late a row counts for several. */
export class Reads {
  readonly #guard: Guard;
  readonly #pace: Door['pace'];

  constructor({ guard, door }: { guard: Guard; door: Pick<Door, 'pace'> }) {
    this.#guard = guard;
    this.#pace = () => door.pace();
  }

  /** The answer, if there is room for it: what is made is written as JSON only then. */
  async answer(request: Request, response: Response, make: () => { rows: number; body: unknown }): Promise<void> {
    if (!(await this.allows(request, response))) return;
    const { rows, body } = make();
    if (rows <= ROWS_LEAST || (await this.allows(request, response, rows - ROWS_LEAST))) response.json(body);
  }

  /** Counts so many rows. False when they are too many: then it has been answered so. */
  async allows(request: Request, response: Response, rows = ROWS_LEAST): Promise<boolean> {
    const seconds = await this.#guard.seconds('read', this.#guard.address(request), rows * this.#pace());
    if (seconds === 0) return true;
    response.setHeader('retry-after', String(seconds));
    response.status(429).json({ error: 'this address has read too much: ask again later, for less or less often' });
    return false;
  }
}
