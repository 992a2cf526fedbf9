// Trust in a certificate authority that this machine does not know, such as that of `npm run dev-cert`: besides those it knows.

import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { Agent, fetch as fetchWith, type RequestInit as RequestInitWith } from 'undici';

/** The file's text, PEM; null for no file. Throws one sentence when it is not to be had, or is no certificate. */
export async function readAuthority(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Error(`cannot read the authority’s certificate ${file}: ${error.message}`);
  });
  if (text.includes('BEGIN CERTIFICATE')) return text;
  throw new Error(`${file} is no certificate: expected one in PEM`);
}

/** What a TLS connection is to trust; nothing to say where there is no such authority. */
export const trusting = (ca: string | null): { ca?: string[] } =>
  ca === null ? {} : { ca: [...rootCertificates, ca] };

/** `fetch`, with that trust: Node's own takes its authorities from the environment alone. */
export function fetchTrusting(ca: string | null): typeof fetch {
  if (ca === null) return fetch;
  const dispatcher = new Agent({ connect: trusting(ca) });
  const trustingFetch = (url: string, init?: RequestInit): Promise<unknown> =>
    fetchWith(url, { ...(init as RequestInitWith), dispatcher });
  return trustingFetch as typeof fetch;
}
