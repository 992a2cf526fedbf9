// The command line and the environment, as one value. What is wrong is one sentence, and the process ends with 2.

import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';

export interface Options {
  readonly port: number;
  readonly host: string;
  /** Run files; the embedded run when there is none. */
  readonly runs: readonly string[];
  readonly dataDir: string;
  /** For what the coordinator writes. */
  readonly stateDir: string;
  readonly adminToken: string;
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

const collect = (file: string, files: string[]): string[] => [...files, file];

/** Reads `npm start -- …`. Exits with a message for bad arguments and for --help. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options {
  const program = new Command('npm start --')
    .description('Murmuration: train a network on the GPUs of whoever opens a web page.')
    .option('--run <file>', 'a run to open (YAML); again for more than one (default: runs/digits.yaml)', collect, [])
    .option('--port <number>', 'port to listen on; 0 for any', port, 3000)
    .option('--host <address>', 'address to listen on; 0.0.0.0 for everyone on the network', '127.0.0.1')
    .option('--state <folder>', 'folder for what the coordinator writes', '.murmuration')
    .option(
      '--record [file]',
      'write every event to a log that replays to the same bits (default: events.log in the state folder)',
    )
    .option('--log-level <level>', LEVELS.join(', '), level, 'info')
    .addHelpText(
      'after',
      '\nEnvironment:\n  DATA_DIR     folder of the data sets, only ever read (default: data)\n  ADMIN_TOKEN  the operator’s token (default: a new one each start)',
    )
    .showHelpAfterError('(--help lists the options)')
    .configureOutput({ outputError: (text, write) => write(text) })
    .parse(argv, { from: 'user' });
  const given = program.opts<{
    run: string[];
    port: number;
    host: string;
    state: string;
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
    adminToken: env['ADMIN_TOKEN'] ?? randomBytes(18).toString('base64url'),
    record,
    logLevel: given.logLevel,
  };
}
