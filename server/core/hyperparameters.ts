// A method's hyper-parameters as data: the paper's symbol, the default, the bounds. From it come the check of a run's
// configuration, the dashboard's form, and the documentation's table.

import type { MethodConfig } from '../../shared/config.ts';

export interface NumberParameter {
  readonly kind: 'number';
  readonly symbol: string;
  readonly description: string;
  readonly default: number;
  /** Inclusive bounds, and `below` exclusive. */
  readonly min?: number;
  readonly max?: number;
  readonly below?: number;
  readonly integer?: boolean;
}

export interface ChoiceParameter {
  readonly kind: 'choice';
  readonly description: string;
  readonly default: string;
  readonly choices: readonly string[];
}

export type Hyperparameter = NumberParameter | ChoiceParameter;
export type Hyperparameters = { readonly [name: string]: Hyperparameter };
export type ValuesOf<H extends Hyperparameters> = {
  readonly [K in keyof H]: H[K] extends ChoiceParameter ? H[K]['choices'][number] : number;
};

/** Momentum of the outer optimizer, shared by every method that has one. */
export const MOMENTUM = {
  kind: 'number',
  symbol: 'γ',
  description: 'Momentum; 0 turns it off.',
  default: 0.9,
  min: 0,
  below: 1,
} as const satisfies NumberParameter;

/** Of every method with the gap-aware correction. */
export const GAP_AWARE = {
  gapDecay: {
    kind: 'number',
    symbol: 'Γ',
    description: 'Decay of the running mean of squared steps.',
    default: 0.999,
    min: 0,
    below: 1,
  },
  epsilon: {
    kind: 'number',
    symbol: 'ε',
    description: 'Keeps the average step above zero.',
    default: 1e-8,
    min: 1e-12,
  },
} as const satisfies Hyperparameters;

/** Strength of the delay compensation. */
export const LAMBDA = {
  kind: 'number',
  symbol: 'λ',
  description: 'Strength of the delay compensation; 0 turns it off.',
  default: 2,
  min: 0,
} as const satisfies NumberParameter;

/** Rate and momentum of an outer optimizer that has its own. */
export const OUTER = {
  outerLearningRate: {
    kind: 'number',
    symbol: 'ε',
    description: 'Learning rate of the outer optimizer.',
    default: 0.7,
    min: 0,
  },
  outerMomentum: {
    kind: 'number',
    symbol: 'μ',
    description: 'Momentum of the outer optimizer; 0 turns it off.',
    default: 0.9,
    min: 0,
    below: 1,
  },
} as const satisfies Hyperparameters;

/** Of every method that works in rounds of local steps. */
export const ROUND = {
  quorum: {
    kind: 'number',
    symbol: '',
    description: 'Part of a round that must have pushed when its deadline passes.',
    default: 0.5,
    min: 0,
    max: 1,
  },
  deadlineMs: {
    kind: 'number',
    symbol: '',
    description: 'How long a round waits for the rest after its first push, in milliseconds.',
    default: 60_000,
    min: 0,
  },
} as const satisfies Hyperparameters;

/** What every method takes beside its own: checked by the schema in shared/config.ts. */
const COMMON = ['name', 'learningRate', 'weightDecay', 'schedule'];

/** A method's values with defaults filled in. Throws one sentence that names the parameter, the value and what was expected. */
export function resolveHyperparameters<H extends Hyperparameters>(
  name: string,
  declared: H,
  config: MethodConfig,
): ValuesOf<H> {
  const given: Record<string, unknown> = { ...config };
  for (const key of Object.keys(given)) {
    if (!COMMON.includes(key) && !Object.hasOwn(declared, key)) {
      const known = [...COMMON.slice(1), ...Object.keys(declared)].join(', ');
      throw new Error(`method "${name}" has no hyper-parameter "${key}"; it has ${known}`);
    }
  }
  const values: Record<string, number | string> = {};
  for (const [key, parameter] of Object.entries(declared)) {
    values[key] = resolveOne(`method "${name}": ${key}`, parameter, given[key] ?? parameter.default);
  }
  return values as ValuesOf<H>;
}

function resolveOne(where: string, parameter: Hyperparameter, value: unknown): number | string {
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
  if (parameter.kind === 'choice') {
    if (typeof value === 'string' && parameter.choices.includes(value)) return value;
    throw new Error(`${where} is ${shown}, expected one of ${parameter.choices.join(', ')}`);
  }
  const { min, max, below, integer } = parameter;
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (below === undefined || value < below) &&
    (!integer || Number.isInteger(value));
  if (fits) return value;
  const bounds = [
    min !== undefined ? `at least ${min}` : '',
    max !== undefined ? `at most ${max}` : '',
    below !== undefined ? `below ${below}` : '',
  ];
  const expected = [integer ? 'a whole number' : 'a number', ...bounds.filter(Boolean)].join(', ');
  throw new Error(`${where} is ${shown}, expected ${expected}`);
}
