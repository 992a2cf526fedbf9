// What answers tell a browser not to do with them, and what they do not tell of this machine.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { digitsRun, PlainWorker, start } from './harness.ts';

let folder: string;
let coordinator: Started;
const told: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmuration-headers-'));
  const pages = join(folder, 'pages');
  await mkdir(join(pages, 'assets'), { recursive: true });
  for (const file of ['index.html', 'assets/entry-1.js', 'assets/style-1.css']) await writeFile(join(pages, file), '');
  const record = join(folder, 'events.log');
  await symlink(join(folder, 'no-such-folder', 'events.log'), record); // to be opened it would have to be made
  const log = pino({ level: 'error' }, { write: (line) => void told.push(line) });
  coordinator = await start([digitsRun()], { pages, record, log });
});
afterAll(async () => {
  await coordinator.close();
  await rm(folder, { recursive: true });
});

function headersOf(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const sent = request(coordinator.url + path, { method, headers }, (answer) => resolve(answer.resume().headers));
    sent.on('error', reject).end();
  });
}
const policy = async (path: string): Promise<string> => String((await headersOf(path))['content-security-policy']);

describe('an answer', () => {
  it('[I11] of the data plane, and to a stranger’s page or name, is nothing but bytes to a browser', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const { run, token } = worker.welcome;
    const bearer = { authorization: `Bearer ${token}` };
    const answers: (readonly [string, string?, Record<string, string>?])[] = [
      ['/data/challenge'],
      [`/data/blobs/${run.shards[0]!.sha256}`],
      ['/data/nothing'],
      ['/data/runs/digits/leases', 'POST'],
      ['/data/runs/digits/leases', 'POST', bearer],
      ['/data/runs/digits/leases/none', 'POST', { ...bearer, 'content-length': '0' }],
      ['/data/runs/digits/leases/none', 'DELETE', bearer],
      ['/data/runs/digits/workers', 'DELETE', bearer],
      ['/', 'GET', { host: 'rebound.evil.example' }],
      ['/api/runs/digits/pause', 'POST', { origin: 'https://evil.example' }],
    ];
    for (const [path, method = 'GET', headers = {}] of answers) {
      expect(await headersOf(path, method, headers), `${method} ${path}`).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
    }
  });

  it('[I11] lets scripts compile WebAssembly, of which a worker may be one, and no page', async () => {
    expect(await policy('/assets/entry-1.js')).toContain("script-src 'self' 'wasm-unsafe-eval'");
    for (const path of ['/', '/admin', '/assets/style-1.css', '/api/health'])
      expect(await policy(path), path).toMatch(/script-src 'self';(?!.*unsafe-eval)/);
  });

  it('[I10] about a log that cannot be written does not say where it is; the coordinator’s own log does', async () => {
    const health = async (): Promise<string> => (await fetch(`${coordinator.url}/api/health`)).text();
    await expect.poll(health).toContain('the event log cannot be written any more');
    expect(await health()).not.toContain(folder);
    expect(told.join()).toContain(folder);
  });
});
