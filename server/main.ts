// `npm start`: the only reader of the command line and the environment.

import { networkInterfaces } from 'node:os';
import pino from 'pino';
import { readCertificate } from './host/network.ts';
import { readOptions } from './host/options.ts';
import { ensurePages } from './host/pages.ts';
import { readRunFile } from './host/runfile.ts';
import { startCoordinator, type Started } from './host/start.ts';

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
  await ensurePages((text) => log.info(text));
  const certificate = options.tls && (await readCertificate(options.tls));
  const started = await startCoordinator({ ...options, certificate, runs, log });
  greet(started);
  if (options.tls) process.on('SIGHUP', () => void recertify(started, options.tls!));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void leave(started, signal));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** What the operator needs to know, on the standard output, not in the log. */
function greet({ url, runs, adminToken }: Started): void {
  const port = new URL(url).port;
  const everywhere = ['0.0.0.0', '::'].includes(options.host);
  const scheme = options.tls ? 'https' : 'http';
  const base = everywhere || options.host === '127.0.0.1' ? `${scheme}://localhost:${port}` : url;
  const lines = ['', ...runs.map(({ setup }) => `  Run         ${setup.config.name} (${setup.config.id})`)];
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

async function leave(started: Started, signal: string): Promise<void> {
  log.info(`${signal}: closing`);
  await started.close();
  process.exit(0);
}
