// A change of method, as an operator asks for it: what is wanted, checked against the method it names.

import * as z from 'zod/mini';
import { methodSchema, type MethodConfig } from '../../../shared/config.ts';
import { axesOf } from '../../core/aggregator.ts';
import type { Method } from '../../core/method.ts';

z.config(z.locales.en());

export type MethodChange =
  | { readonly ok: true; readonly method: Method; readonly config: MethodConfig }
  /** One sentence. */
  | { readonly ok: false; readonly error: string };

/**
 * Reads {name, …hyper-parameters}. Learning rate, weight decay and schedule are those of now where they are not given;
 * everything else is the method's default.
 */
export function methodChange(body: unknown, now: MethodConfig, methods: ReadonlyMap<string, Method>): MethodChange {
  const { learningRate, weightDecay, schedule } = now;
  const wanted =
    typeof body === 'object' && !Array.isArray(body) ? { learningRate, weightDecay, schedule, ...body } : body;
  const parsed = methodSchema.safeParse(wanted);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return { ok: false, error: `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}` };
  }
  const config = parsed.data;
  const method = methods.get(config.name);
  if (!method)
    return { ok: false, error: `there is no method "${config.name}"; there are ${[...methods.keys()].join(', ')}` };
  try {
    axesOf(method, config, 1);
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
  return { ok: true, method, config };
}
