// `npm start`: the only reader of the command line and the environment.

import { networkInterfaces } from 'node:os';
import pino from 'pino';
import type { RunSummary } from '../shared/protocol/snapshots.ts';
import { readCertificate } from './host/network.ts';
import { readOptions } from './host/options.ts';
import { ensurePages } from './host/pages.ts';
import { readRunFile } from './host/runfile.ts';
import { startCoordinator, type Started } from './host/start.ts';

let leaving = false;
const options = readOptions(process.argv.slice(2), process.env);
const log = pino({
  level: options.logLevel,
  base: null,
  transport: {
    target: 'pino-pretty',
    options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname', singleLine: true },
  },
});

try {
  const runs = await Promise.all(options.runs.map(readRunFile));
  const byDefault = await readRunFile(options.byDefault);
  if (options.build) await ensurePages((text) => log.info(text));
  const certificate = options.tls && (await readCertificate(options.tls));
  const started = await startCoordinator({ ...options, certificate, runs, byDefault, log });
  greet(started);
  if (options.tls) process.on('SIGHUP', () => void recertify(started, options.tls!));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leave(started, signal));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

// Our own error: what is in memory may be half-changed, so it is not written down. A supervisor starts again from what is.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${event}: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
}

/** How a run stands, where that is not what one expects. */
function standing({ status, version }: RunSummary): string {
  if (status === 'finished' || status === 'stopped') return `: ${status} at version ${version}; --fresh begins it anew`;
  const goesOn = version > 0 ? `, goes on from version ${version}` : '';
  return status === 'paused' ? `${goesOn}: paused` : goesOn;
}

/** What the operator needs to know, on the standard output, not in the log. */
function greet({ url, loop, adminToken }: Started): void {
  const port = new URL(url).port;
  const everywhere = ['0.0.0.0', '::'].includes(options.host);
  const scheme = options.tls ? 'https' : 'http';
  const base = everywhere || options.host === '127.0.0.1' ? `${scheme}://localhost:${port}` : url;
  const runs = loop.summaries().map((run) => `  Run         ${run.name} (${run.id})${standing(run)}`);
  const lines = ['', ...runs];
  lines.push(`  Volunteers  ${base}/`);
  if (everywhere) for (const address of addresses()) lines.push(`              ${scheme}://${address}:${port}/`);
  lines.push(`  Operator    ${base}/admin#token=${adminToken}`, '');
  process.stdout.write(`${lines.join('\n')}\n`);
}

function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  );
}

/** The certificate's files have changed. A bad one is told, and the old one stays. */
async function recertify(started: Started, files: { cert: string; key: string }): Promise<void> {
  try {
    started.recertify(await readCertificate(files));
    log.info('SIGHUP: the certificate was read again');
  } catch (error) {
    log.error({ err: error }, 'the new certificate cannot be used: the old one stays');
  }
}

/** In good order; at once when asked again. */
function leave(started: Started, signal: NodeJS.Signals): void {
  if (leaving) process.exit(1);
  leaving = true;
  log.info(
    `${signal}: closing when what is under way has come in, in ${options.graceMs / 1000} s at most; again for at once`,
  );
  started.stop(options.graceMs).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
}
