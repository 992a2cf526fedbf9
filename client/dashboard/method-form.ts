// The form that changes a method, without its looks: its fields, what is in them at first, and the request made of what
// was typed. Pure. The coordinator checks everything again; its word counts.

import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import type { ChoiceInfo, MethodInfo, NumberInfo } from './methods.ts';

export interface NumberField extends Omit<NumberInfo, 'default'> {
  /** Exclusive. */
  readonly above?: number;
}
export type Field = NumberField | ChoiceInfo;

/** The body of `POST /api/runs/:id/method`. */
export interface MethodRequest {
  readonly name: string;
  readonly [parameter: string]: number | string;
}

/** What is typed or chosen, by field. */
export type Entries = Readonly<Record<string, string>>;

/** Every method's. */
const COMMON_FIELDS: readonly NumberField[] = [
  {
    kind: 'number',
    name: 'learningRate',
    symbol: 'η',
    description: 'Learning rate, before the run’s schedule scales it.',
    above: 0,
  },
  {
    kind: 'number',
    name: 'weightDecay',
    symbol: '',
    description: 'Pulls the parameters towards 0; 0 turns it off.',
    min: 0,
  },
];

export function fieldsOf(method: MethodInfo): readonly Field[] {
  return [...COMMON_FIELDS, ...method.hyperparameters];
}

/** Learning rate and weight decay are the run's; so is the rest if the run has this method, else it is the default. */
export function firstEntries(method: MethodInfo, run: RunSummary): Entries {
  const { learningRatePeak, weightDecay } = run;
  return { learningRate: String(learningRatePeak), weightDecay: String(weightDecay), ...ownEntries(method, run) };
}

/** What was typed for every method's fields stays; the new method's own start afresh. */
export function entriesFor(method: MethodInfo, run: RunSummary, typed: Entries): Entries {
  const kept = COMMON_FIELDS.map(({ name }) => [name, typed[name] ?? ''] as const);
  return { ...Object.fromEntries(kept), ...ownEntries(method, run) };
}

function ownEntries(method: MethodInfo, run: RunSummary): Entries {
  const values = run.method === method.name ? run.hyperparameters : {};
  return Object.fromEntries(
    method.hyperparameters.map(({ name, default: usual }) => [name, String(values[name] ?? usual)]),
  );
}

/** "a whole number, at least 1, below 9" */
export function expectation({ integer, above, min, max, below }: NumberField): string {
  return [
    integer ? 'a whole number' : 'a number',
    above !== undefined ? `above ${above}` : '',
    min !== undefined ? `at least ${min}` : '',
    max !== undefined ? `at most ${max}` : '',
    below !== undefined ? `below ${below}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function fits(value: number, { integer, above, min, max, below }: NumberField): boolean {
  return (
    Number.isFinite(value) &&
    (!integer || Number.isInteger(value)) &&
    (above === undefined || value > above) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (below === undefined || value < below)
  );
}

/** The field's value, or null when what was typed does not fit it. An empty field is no 0. */
export function valueOf(field: Field, text: string): number | string | null {
  if (field.kind === 'choice') return field.choices.includes(text) ? text : null;
  const value = text.trim() === '' ? NaN : Number(text);
  return fits(value, field) ? value : null;
}

/** The request, or null while a field does not fit. */
export function requestOf(method: MethodInfo, entries: Entries): MethodRequest | null {
  const values: Record<string, number | string> = {};
  for (const field of fieldsOf(method)) {
    const value = valueOf(field, entries[field.name] ?? '');
    if (value === null) return null;
    values[field.name] = value;
  }
  return { ...values, name: method.name };
}
