// A trace's JSON file: what the replay command reads, checked before anything is played.

import * as z from 'zod/mini';
import { methodSchema } from '../../shared/config.ts';
import type { TraceEvent, TraceInput } from '../core/trace.ts';

z.config(z.locales.en());

/** Traces are written by hand or by a small program: more would only be a mistake that fills the memory. */
const EVENTS_MAX = 1_000_000;

const worker = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      'expected a name of letters, digits, dots and dashes, at most 64 long',
    ),
  );
const atMs = z.optional(z.number().check(z.nonnegative()));

const eventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('pull'), worker, atMs }),
  z.strictObject({
    type: z.literal('push'),
    worker,
    vector: z.array(z.number()),
    samples: z.optional(z.int().check(z.positive())),
    atMs,
  }),
  z.strictObject({ type: z.literal('leave'), worker, atMs }),
]);

const traceSchema = z.strictObject({
  method: methodSchema,
  params: z.array(z.number()).check(z.minLength(1)),
  events: z.array(eventSchema).check(z.maxLength(EVENTS_MAX)),
  /** A schedule counts in epochs; without this, an epoch is one sample. */
  samplesPerEpoch: z.optional(z.int().check(z.positive())),
  /** A live run's is float32. */
  precision: z._default(z.enum(['float32', 'float64']), 'float64'),
});

/** Throws one sentence that names the file and, by its path, the first thing in it that is wrong. */
export function parseTrace(text: string, file: string): Omit<TraceInput, 'method'> {
  const result = traceSchema.safeParse(parseJson(text, file));
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const where = path.reduce<string>(
      (said, key) => said + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
      '',
    );
    throw new Error(`${file}: ${where === '' ? '' : `${where.replace(/^\./, '')}: `}${message}`);
  }
  const { method: config, params, events, samplesPerEpoch = 1, precision } = result.data;
  return { config, params, events: timed(events), samplesPerEpoch, precision };
}

/**
 * Time stands still unless it is given: an event without `atMs` comes at the time of the one before, the first at 0. A gate
 * that waits by the clock then lets everyone in, so that a trace without times follows the formulas alone.
 */
function timed(events: readonly TraceEvent[]): TraceEvent[] {
  let nowMs = 0;
  return events.map((event) => {
    nowMs = event.atMs ?? nowMs;
    return { ...event, atMs: nowMs };
  });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
