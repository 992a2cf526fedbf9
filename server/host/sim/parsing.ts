// Values of the simulator's command line, from text. What does not fit throws commander's error: one sentence, with the
// option it was given to.

import { InvalidArgumentError } from 'commander';
import { FAULTS, type Fault, type FaultyWorkers } from '../../sim/byzantine.ts';
import type { Partition } from '../../sim/network.ts';

/** A number within bounds, both included. */
export function numberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a number from ${min} to ${max}`);
    }
    return value;
  };
}

export function wholeIn(min: number, max: number): (text: string) => number {
  const parse = numberIn(min, max);
  return (text) => {
    const value = parse(text);
    if (!Number.isInteger(value)) throw new InvalidArgumentError('expected a whole number');
    return value;
  };
}

export function oneOf<T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new InvalidArgumentError(`expected one of ${choices.join(', ')}`);
    return found;
  };
}

export function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map((part) => parse(part.trim()));
}

/** `from-until:share`, milliseconds of virtual time and a share of the workers. */
export function partition(text: string): Partition {
  const match = /^(\d+)-(\d+):([\d.]+)$/.exec(text);
  const [fromMs, untilMs, share] = (match ?? []).slice(1).map(Number);
  if (fromMs === undefined || untilMs === undefined || share === undefined || untilMs <= fromMs || !(share <= 1)) {
    throw new InvalidArgumentError('expected from-until:share, as in 5000-9000:0.5');
  }
  return { fromMs, untilMs, share };
}

/** `fault:workers`. */
export function faulty(text: string): FaultyWorkers {
  const [name, count] = text.split(':');
  const fault = FAULTS.find((known: Fault) => known === name);
  const workers = Number(count ?? 1);
  if (fault === undefined || !Number.isInteger(workers) || workers < 1) {
    throw new InvalidArgumentError(`expected fault:workers, with one of ${FAULTS.join(', ')}`);
  }
  return { fault, workers };
}

/** A method, and hyper-parameters of its own: `staleness-aware:momentum=0`. */
export interface NamedMethod {
  readonly label: string;
  readonly name: string;
  readonly own: Readonly<Record<string, number | string>>;
}

export function namedMethod(text: string): NamedMethod {
  const [name = '', ...settings] = text.split(':');
  if (name === '') throw new InvalidArgumentError('expected names of methods, with commas between them');
  const own = Object.fromEntries(settings.map(setting));
  const said = Object.entries(own).map(([key, value]) => `${key} ${value}`);
  return { name, own, label: said.length === 0 ? name : `${name} (${said.join(', ')})` };
}

/** `key=value`; what looks like a number is one. */
export function setting(text: string): [string, number | string] {
  const match = /^([A-Za-z]\w*)=(.+)$/.exec(text);
  if (!match) throw new InvalidArgumentError(`expected key=value, not "${text}"`);
  const value = Number(match[2]);
  return [match[1]!, Number.isNaN(value) ? match[2]! : value];
}
