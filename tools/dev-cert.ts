// `npm run dev-cert`: makes a certificate authority, once, and a certificate for this machine's names and addresses, so that
// other devices of a home or laboratory can lend their GPU over https. Prints what to do on each.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { authorityLasts, makeAuthority, makeCertificate, type Pair } from './certificates.ts';

const FOLDER_MODE = 0o700;
const KEY_MODE = 0o600;
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

interface Given {
  readonly name: readonly string[];
  readonly state: string;
}

function name(text: string, names: readonly string[]): string[] {
  if (!NAME.test(text)) throw new InvalidArgumentError('expected a name such as lab.example.org, or an address.');
  return [...names, text.toLowerCase()];
}

/** What this machine is called on its own network. */
export function ownNames(): string[] {
  const host = hostname().toLowerCase();
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  );
  return ['localhost', host, ...(host.includes('.') ? [] : [`${host}.local`]), '127.0.0.1', '::1', ...addresses];
}

export interface Files {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The authority was there before: devices that trust it need nothing new. */
  readonly known: boolean;
}

/** Writes them below the state folder. An authority that is there, and lasts, is kept. */
export async function writeCertificates(stateDir: string, names: readonly string[], nowMs: number): Promise<Files> {
  const folder = join(stateDir, 'certs');
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const at = (file: string): string => join(folder, file);
  const old = await readPair(at('ca.pem'), at('ca-key.pem'));
  const known = old !== null && authorityLasts(old, nowMs);
  const authority = known ? old : await makeAuthority(`Murmuration on ${hostname()}`, nowMs);
  if (!known) await writePair(authority, at('ca.pem'), at('ca-key.pem'));
  await writePair(await makeCertificate(authority, names, nowMs), at('cert.pem'), at('key.pem'));
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem'), known };
}

async function readPair(cert: string, key: string): Promise<Pair | null> {
  try {
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function writePair(pair: Pair, cert: string, key: string): Promise<void> {
  await writeFile(cert, pair.cert);
  await writeFile(key, pair.key, { mode: KEY_MODE });
}

function instructions({ ca, cert, key, known }: Files, names: readonly string[], given: Given): string {
  const origins = given.name.filter((each) => each.includes('.')).map((each) => ` --origin https://${each}:3000`);
  const start = `npm start -- --host 0.0.0.0 --tls-cert ${cert} --tls-key ${key}${origins.join('')}`;
  return [
    '',
    `A certificate for ${names.join(', ')}`,
    '',
    `1. Start the coordinator with it:`,
    '',
    `   ${start}`,
    '',
    known
      ? `2. Devices that trust ${ca} already need nothing new. On others:`
      : `2. Let each device trust ${ca}, once (copy that file, and no other, to the device):`,
    '',
    '   Chrome, Edge    on Linux: Settings, Privacy and security, Security, Manage certificates, Authorities, Import',
    '                   on Windows: open the file, Install certificate, into Trusted Root Certification Authorities',
    '                   on a Mac: open the file, then in Keychain Access set it to Always Trust',
    '   Firefox         Settings, Privacy & Security, View Certificates, Authorities, Import, trust it for websites',
    '   Android         Settings, Security, Encryption & credentials, Install a certificate, CA certificate',
    '   iPhone, iPad    send the file to it, install the profile in Settings, then General, About, Certificate Trust Settings',
    `   npm run volunteer    add --ca ${ca}`,
    '',
    '3. Open the https address that the coordinator prints.',
    '',
    `Who has ${ca.replace('ca.pem', 'ca-key.pem')} can pretend to be any site to those devices: it must not leave this machine.`,
    '',
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const program = new Command('npm run dev-cert --')
    .description(
      'A local certificate authority, and a certificate of this machine, for https on a network of one’s own.',
    )
    .option('--name <host>', 'a further name or address of this machine; again for more', name, [])
    .option('--state <folder>', 'the coordinator’s state folder', '.murmuration')
    .allowExcessArguments(false)
    .parse();
  const given = program.opts<Given>();
  const names = [...new Set([...ownNames(), ...given.name])];
  process.stdout.write(instructions(await writeCertificates(given.state, names, Date.now()), names, given));
}

if (import.meta.filename === process.argv[1]) await main();
