// A certificate authority of one's own, and a certificate from it: for laboratories and home networks, where browsers give
// WebGPU to https pages only and no public authority vouches for an address such as 192.168.1.7.

import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import 'reflect-metadata'; // of which @peculiar/x509 needs to find it there
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Ten years: it is trusted by hand on every device, and its key stays on one machine. */
const AUTHORITY_DAYS = 3650;
/** Apple's devices take no certificate that is good for longer than 398 days. */
const CERTIFICATE_DAYS = 397;
/** Clocks of devices differ. */
const EARLIER_MS = DAY_MS;

/** Both in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export async function makeAuthority(name: string, nowMs: number): Promise<Pair> {
  const keys = await newKeys();
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${quoted(name)}`,
    notBefore: new Date(nowMs - EARLIER_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: cert.toString('pem'), key: await pem(keys.privateKey) };
}

/** For a server of these names and addresses. */
export async function makeCertificate(authority: Pair, names: readonly string[], nowMs: number): Promise<Pair> {
  const keys = await newKeys();
  const issuer = new X509Certificate(authority.cert);
  const [der] = PemConverter.decode(authority.key);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der!, ALGORITHM, false, ['sign']);
  const cert = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${quoted(names[0]!)}`,
    issuer: issuer.subject,
    notBefore: new Date(nowMs - EARLIER_MS),
    notAfter: new Date(nowMs + CERTIFICATE_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: cert.toString('pem'), key: await pem(keys.privateKey) };
}

/** Whether an authority can be used for another year. */
export function authorityLasts({ cert }: Pair, nowMs: number): boolean {
  return new X509Certificate(cert).notAfter.getTime() > nowMs + CERTIFICATE_DAYS * DAY_MS;
}

const newKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'] as webcrypto.KeyUsage[]);

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PRIVATE_KEY);
}

const PRIVATE_KEY = 'PRIVATE KEY';

/** Positive, as it must be, and never the same twice. */
const serial = (): string => `01${randomBytes(15).toString('hex')}`;

/** Of a distinguished name. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '')}"`;
