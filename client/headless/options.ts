// The command line of `npm run volunteer`: read once, every wrong value refused in a sentence.

import { Command, InvalidArgumentError, Option } from 'commander';
import { NAME_CHARS_MAX } from '../../shared/protocol/limits.ts';
import { VOLUNTEERS_MAX, type VolunteersOptions } from './volunteers.ts';

const SLOWDOWN_MAX = 1000;
/** Leaves room for "-64 (×1000.5)". */
const PREFIX_CHARS_MAX = NAME_CHARS_MAX - 16;

/** Commander's own way of ending the process is the caller's to keep: `exitOverride` in tests. */
export function volunteerCommand(): Command {
  return new Command('volunteer')
    .description('Train for a coordinator from this machine, without a browser.')
    .option('--url <address>', 'the coordinator', address, 'http://localhost:3000')
    .option('--run <id>', 'the run to join (default: the first that is running)', runId)
    .option('--count <n>', `how many volunteers, each in its own thread, at most ${VOLUNTEERS_MAX}`, count, 1)
    .addOption(new Option('--backend <name>', 'what to compute on').choices(['wasm', 'cpu']).default('wasm'))
    .option('--slowdown <factors>', 'how many times as long a step takes, for each in turn, e.g. 1,1,2,8', factors, [1])
    .option('--name <prefix>', 'of the volunteers', prefix, 'node')
    .option('--code <text>', 'the join code of the run, where it needs one')
    .option('--key <file>', 'keeps the volunteers’ device keys, so that they are the same ones next time')
    .option('--ca <file>', 'an authority to trust (PEM), such as the coordinator’s npm run dev-cert made')
    .allowExcessArguments(false);
}

export type CommandOptions = Required<Pick<VolunteersOptions, 'url' | 'count' | 'backend' | 'slowdown' | 'name'>> &
  Pick<VolunteersOptions, 'run' | 'code' | 'key' | 'ca'>;

function address(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('Expected an address such as http://localhost:3000.');
  }
  return url.origin;
}

function runId(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, dots, dashes and underscores, at most 64.');
}

function count(text: string): number {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= VOLUNTEERS_MAX) return n;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${VOLUNTEERS_MAX}.`);
}

function factors(text: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (numbers.every((n) => n >= 1 && n <= SLOWDOWN_MAX)) return numbers;
  throw new InvalidArgumentError(`Expected numbers from 1 to ${SLOWDOWN_MAX}, separated by commas.`);
}

function prefix(text: string): string {
  if (text.trim() !== '' && text.length <= PREFIX_CHARS_MAX) return text.trim();
  throw new InvalidArgumentError(`Expected 1 to ${PREFIX_CHARS_MAX} characters.`);
}
