// What the facts of a snapshot are made of, and how they are checked on the way in. Texts that a remote chose are values in
// lists, never names of properties.

import * as z from 'zod/mini';
import { FRAME_ERRORS, PUSH_REJECTIONS } from '../../shared/protocol/reasons.ts';

z.config(z.locales.en());

/** A number of things, or a number of one. */
export const count = z.int().check(z.nonnegative());
export const figure = z.nullable(z.number());
/** Refusals by reason. */
export const reasonCounts = z.array(z.tuple([z.enum([...FRAME_ERRORS, ...PUSH_REJECTIONS]), count]));

/** What `value` is by the schema. Throws one sentence that names the first thing that is wrong. */
export function checked<T extends z.core.$ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const where = path.reduce<string>(
    (said, key) => said + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
    '',
  );
  throw new Error(`${what}${where}: ${message}`);
}
