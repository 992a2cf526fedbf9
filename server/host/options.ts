// The command line and the environment, as one value. What is wrong is one sentence, and the process ends with 2.

import { Command, InvalidArgumentError } from 'commander';
import { addNetworkOptions, networkOptions, type NetworkOptions } from './network.ts';

export interface Options extends NetworkOptions {
  readonly port: number;
  readonly host: string;
  /** Run files; the embedded run when there is none. */
  readonly runs: readonly string[];
  readonly dataDir: string;
  /** For what the coordinator writes. */
  readonly stateDir: string;
  /** Null when it is the state folder’s. */
  readonly adminToken: string | null;
  readonly origins: readonly string[];
  /** Where to write the event log; null for none. */
  readonly record: string | null;
  readonly logLevel: string;
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('expected a number from 0 to 65535');
  return value;
}

function level(text: string): string {
  if (!LEVELS.includes(text)) throw new InvalidArgumentError(`expected one of ${LEVELS.join(', ')}`);
  return text;
}

function origin(text: string, origins: string[]): string[] {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new InvalidArgumentError('expected an address such as https://train.example.org');
  return [...origins, url.origin];
}

const collect = (file: string, files: string[]): string[] => [...files, file];

/** Reads `npm start -- …`. Exits with a message for bad arguments and for --help. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options {
  const program = addNetworkOptions(new Command('npm start --'))
    .description('Murmuration: train a network on the GPUs of whoever opens a web page.')
    .option('--run <file>', 'a run to open (YAML); again for more than one (default: runs/digits.yaml)', collect, [])
    .option('--port <number>', 'port to listen on; 0 for any', port, 3000)
    .option('--host <address>', 'address to listen on; 0.0.0.0 for everyone on the network', '127.0.0.1')
    .option('--state <folder>', 'folder for what the coordinator writes', '.murmuration')
    .option(
      '--origin <url>',
      'another address of the coordinator, such as a proxy’s; again for more than one',
      origin,
      [],
    )
    .option(
      '--record [file]',
      'write every event to a log that replays to the same bits (default: events.log in the state folder)',
    )
    .option('--log-level <level>', LEVELS.join(', '), level, 'info')
    .addHelpText(
      'after',
      '\nEnvironment:\n  DATA_DIR     folder of the data sets, only ever read (default: data)\n  ADMIN_TOKEN  the operator’s token (default: the one in the state folder)',
    )
    .showHelpAfterError('(--help lists the options)')
    .configureOutput({ outputError: (text, write) => write(text) })
    .parse(argv, { from: 'user' });
  const given = program.opts<{
    run: string[];
    port: number;
    host: string;
    state: string;
    origin: string[];
    record?: string | true;
    logLevel: string;
  }>();
  if (program.args.length > 0) program.error(`error: unexpected argument "${program.args[0]}"`);
  const record = given.record === true ? `${given.state}/events.log` : (given.record ?? null);
  return {
    port: given.port,
    host: given.host,
    runs: given.run.length > 0 ? given.run : ['runs/digits.yaml'],
    dataDir: env['DATA_DIR'] ?? 'data',
    stateDir: given.state,
    adminToken: env['ADMIN_TOKEN'] || null,
    origins: given.origin,
    ...networkOptions(program),
    record,
    logLevel: given.logLevel,
  };
}
