// The coordinator over TLS, with a certificate that `npm run dev-cert` makes: everything that is said in the clear otherwise.

import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchTrusting, readAuthority } from '../../client/headless/authority.ts';
import { startVolunteers } from '../../client/headless/volunteers.ts';
import { readCertificate } from '../../server/host/network.ts';
import type { Started } from '../../server/host/start.ts';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { ownNames, writeCertificates, type Files } from '../../tools/dev-cert.ts';
import { digitsRun, start } from './harness.ts';

const NOW_MS = Date.now();
let folder: string;
let files: Files;
let coordinator: Started;
let ca: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmuration-tls-'));
  files = await writeCertificates(folder, [...ownNames(), 'lab.example.org'], NOW_MS);
  ca = (await readAuthority(files.ca))!;
  const run = digitsRun('epochs: 1\nbatchSize: 512');
  coordinator = await start([run], { certificate: await readCertificate(files), hsts: true });
});
afterAll(async () => {
  await coordinator.close();
  await rm(folder, { recursive: true });
});

const port = (): number => Number(new URL(coordinator.url).port);
async function handshake(options: object): Promise<TLSSocket> {
  const socket = connect({ port: port(), host: '127.0.0.1', ca, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.end();
  return socket;
}

describe('the coordinator over TLS', () => {
  it('[N9] [P27] serves a volunteer that trusts its authority, over https and both WebSockets', async () => {
    expect(coordinator.url).toMatch(/^https:/);
    const volunteers = startVolunteers({ url: coordinator.url, count: 1, backend: 'wasm', ca: files.ca });
    expect(await volunteers.done).toMatchObject({ ok: true });
    const answer = await fetchTrusting(ca)(`${coordinator.url}/api/runs/digits`);
    expect(((await answer.json()) as RunSummary).status).toBe('finished');
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=15552000');
  });

  it('[N9] is nobody to who does not trust its authority', async () => {
    await expect(fetch(`${coordinator.url}/api/health`)).rejects.toThrow();
    const stranger = startVolunteers({ url: coordinator.url, count: 1, backend: 'cpu', connectMsMax: 1 });
    expect((await stranger.done).ok).toBe(false);
  });

  it('[N9] goes by the names and addresses that it was made for, and speaks nothing older than TLS 1.2', async () => {
    const named = await handshake({ servername: 'lab.example.org' });
    expect(named.authorized).toBe(true);
    await expect(handshake({ servername: 'other.example.org' })).rejects.toThrow(/lab\.example\.org|altnames/);
    expect((await handshake({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    await expect(handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow();
  });

  it('[N9] takes another certificate without a restart, and keeps the old one when that is none', async () => {
    const before = (await handshake({})).getPeerCertificate().serialNumber;
    const again = await writeCertificates(folder, ownNames(), NOW_MS);
    expect(again.known).toBe(true);
    coordinator.recertify(await readCertificate(again));
    const after = (await handshake({})).getPeerCertificate().serialNumber;
    expect(after).not.toBe(before);
    await writeFile(files.cert, 'nothing');
    await expect(readCertificate(files)).rejects.toThrow(/cannot be used/);
    expect((await handshake({})).getPeerCertificate().serialNumber).toBe(after);
  });
});

describe('the files of npm run dev-cert', () => {
  it('[N9] keep the authority as long as it lasts, and its key to the owner', async () => {
    const own = await mkdtemp(join(tmpdir(), 'murmuration-cert-'));
    const first = await writeCertificates(own, ['localhost'], NOW_MS);
    const text = await readFile(first.ca, 'utf8');
    expect(first.known).toBe(false);
    expect((await stat(join(own, 'certs', 'ca-key.pem'))).mode & 0o077).toBe(0);
    expect((await stat(first.key)).mode & 0o077).toBe(0);
    expect((await writeCertificates(own, ['localhost'], NOW_MS)).known).toBe(true);
    expect(await readFile(first.ca, 'utf8')).toBe(text);
    expect((await writeCertificates(own, ['localhost'], NOW_MS + 10 * 365 * 86_400_000)).known).toBe(false);
    expect(await readFile(first.ca, 'utf8')).not.toBe(text);
    await rm(own, { recursive: true });
  });
});
