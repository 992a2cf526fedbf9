// The command line and the environment, as one value. What is wrong is one sentence, and the process ends with 2.

import { Command, InvalidArgumentError } from 'commander';
import { addNetworkOptions, networkOptions, type NetworkOptions } from './network.ts';

export interface Options extends NetworkOptions {
  readonly port: number;
  readonly host: string;
  /** Run files that were asked for. */
  readonly runs: readonly string[];
  /** The run file for when none was asked for and the state folder has no run. */
  readonly byDefault: string;
  /** Begin anew what was asked for, or everything. */
  readonly fresh: boolean;
  /** At the end, what is under way may take so long to come in. */
  readonly graceMs: number;
  /** Build the pages if they are not up to date. */
  readonly build: boolean;
  readonly dataDir: string;
  /** For what the coordinator writes. */
  readonly stateDir: string;
  /** Null when it is the state folder’s. */
  readonly adminToken: string | null;
  readonly origins: readonly string[];
  /** Where to write the event log; null for none. */
  readonly record: string | null;
  /** Of the database for the records; null for the state folder. Absent when none are to be kept. */
  readonly databaseUrl?: string | null;
  readonly logLevel: string;
}

const DEFAULT_RUN = 'runs/digits.yaml';
/** A supervisor that waits this long before it kills has been told to. */
const GRACE_SECONDS_MAX = 3600;
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('expected a number from 0 to 65535');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= GRACE_SECONDS_MAX))
    throw new InvalidArgumentError(`expected a number from 0 to ${GRACE_SECONDS_MAX}`);
  return value;
}

function level(text: string): string {
  if (!LEVELS.includes(text)) throw new InvalidArgumentError(`expected one of ${LEVELS.join(', ')}`);
  return text;
}

function origin(text: string, origins: readonly string[] = []): string[] {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new InvalidArgumentError('expected an address such as https://train.example.org');
  return [...origins, url.origin];
}

const collect = (file: string, files: readonly string[] = []): string[] => [...files, file];

/** Null when there is none. */
function databaseUrl(program: Command, text = ''): string | null {
  if (text === '') return null;
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text))
    program.error('error: DATABASE_URL: expected an address such as postgres://user:password@host:5432/database');
  return text;
}

/** As commander tells it. */
interface Given {
  run?: string[];
  port: number;
  host: string;
  state: string;
  origin?: string[];
  record?: string | true;
  records: boolean;
  fresh?: true;
  grace: number;
  build: boolean;
  logLevel: string;
}

/** What `npm start --` understands. */
function command(): Command {
  return addNetworkOptions(new Command('npm start --'))
    .description('Murmuration: train a network on the GPUs of whoever opens a web page.')
    .option(
      '--run <file>',
      `a run to open (YAML); again for more than one (default: what the state folder has, else ${DEFAULT_RUN})`,
      collect,
    )
    .option('--fresh', 'begin anew the runs of --run, or all; what the state folder has of them is put aside')
    .option('--port <number>', 'port to listen on; 0 for any', port, 3000)
    .option('--host <address>', 'address to listen on; 0.0.0.0 for everyone on the network', '127.0.0.1')
    .option('--state <folder>', 'folder for what the coordinator writes', '.murmuration')
    .option('--origin <url>', 'another address of the coordinator, such as a proxy’s; again for more than one', origin)
    .option(
      '--record [file]',
      'write every event to a log that replays to the same bits (default: events.log in the state folder; an earlier one is kept as events.log.1, .2, …)',
    )
    .option('--grace <seconds>', 'at the end, wait so long for what is under way', seconds, 10)
    .option('--no-build', 'serve the pages as they were built last')
    .option(
      '--no-records',
      'keep no events, curves and totals for later (saves some 200 MB of memory without DATABASE_URL)',
    )
    .option('--log-level <level>', LEVELS.join(', '), level, 'info')
    .addHelpText(
      'after',
      '\nEnvironment:\n  DATA_DIR      folder of the data sets, only ever read (default: data)\n  ADMIN_TOKEN   the operator’s token (default: the one in the state folder)\n  DATABASE_URL  a PostgreSQL for the records (default: PGlite in the state folder)',
    )
    .showHelpAfterError('(--help lists the options)')
    .configureOutput({ outputError: (text, write) => write(text) });
}

/** Reads `npm start -- …`. Exits with a message for bad arguments and for --help. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options {
  const program = command().parse(argv, { from: 'user' });
  const given = program.opts<Given>();
  if (program.args.length > 0) program.error(`error: unexpected argument "${program.args[0]}"`);
  const record = given.record === true ? `${given.state}/events.log` : (given.record ?? null);
  return {
    port: given.port,
    host: given.host,
    runs: given.run ?? [],
    byDefault: DEFAULT_RUN,
    fresh: given.fresh ?? false,
    graceMs: 1000 * given.grace,
    build: given.build,
    dataDir: env['DATA_DIR'] ?? 'data',
    stateDir: given.state,
    adminToken: env['ADMIN_TOKEN'] || null,
    origins: given.origin ?? [],
    ...networkOptions(program),
    record,
    ...(given.records && { databaseUrl: databaseUrl(program, env['DATABASE_URL']) }),
    logLevel: given.logLevel,
  };
}
