// How the coordinator meets the network, from the command line: its certificate, the proxy in front of it, and the limits that
// an operator may need to move.

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { InvalidArgumentError, type Command } from 'commander';
import type { Certificate } from '../adapters/http/sockets.ts';
import { LIMITS, type Limits } from '../limits.ts';

export interface NetworkOptions {
  /** Files in PEM; null for plain http. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly hsts: boolean;
  readonly trustProxy: boolean;
  readonly limits: Limits;
}

interface Given {
  tlsCert?: string;
  tlsKey?: string;
  hsts?: true;
  trustProxy?: true;
  connections: number;
  connectionsPerAddress: number;
  ratePerAddress: number;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1');
  return value;
}

export function addNetworkOptions(program: Command): Command {
  const { connections, connectionsPerAddress, rates } = LIMITS;
  return program
    .option('--tls-cert <file>', 'serve https with this certificate (PEM); SIGHUP reads it again')
    .option('--tls-key <file>', 'and this key (PEM)')
    .option('--hsts', 'tell browsers to come back over https only')
    .option('--trust-proxy', 'believe X-Forwarded-For: when a proxy of yours is in front, and only then')
    .option('--connections <n>', 'open connections in all', count, connections)
    .option('--connections-per-address <n>', 'open connections of one address', count, connectionsPerAddress)
    .option('--rate-per-address <n>', 'pulls and pushes a second of one address', count, rates.address.points);
}

/** Ends the program with a sentence when they do not go together. */
export function networkOptions(program: Command): NetworkOptions {
  const given = program.opts<Given>();
  const { tlsCert: cert, tlsKey: key, connections, connectionsPerAddress, ratePerAddress } = given;
  if ((cert === undefined) !== (key === undefined)) program.error('error: --tls-cert and --tls-key go together');
  if (given.hsts && cert === undefined && !given.trustProxy)
    program.error('error: --hsts needs --tls-cert, or a proxy with one and --trust-proxy');
  const address = { points: ratePerAddress, seconds: 1 };
  return {
    tls: cert !== undefined && key !== undefined ? { cert, key } : null,
    hsts: given.hsts ?? false,
    trustProxy: given.trustProxy ?? false,
    limits: { ...LIMITS, connections, connectionsPerAddress, rates: { ...LIMITS.rates, address } },
  };
}

/** The files' contents. Throws one sentence when one cannot be read, or they do not go together. */
export async function readCertificate({ cert, key }: { cert: string; key: string }): Promise<Certificate> {
  const read = (file: string, what: string): Promise<Buffer> =>
    readFile(file).catch((error: Error) => {
      throw new Error(`cannot read the ${what} ${file}: ${error.message}`);
    });
  const pair = { cert: await read(cert, 'certificate'), key: await read(key, 'key') };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Error(`the certificate ${cert} cannot be used with the key ${key}: ${(error as Error).message}`);
  }
  return pair;
}
