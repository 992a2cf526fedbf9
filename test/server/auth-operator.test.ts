// The operator's token and sessions: kept, exchanged, guessed at, changed, ended, and every action written down.

import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Operator, SESSION_MS, type OperatorOptions } from '../../server/adapters/http/operator.ts';
import { openOperator } from '../../server/host/open-operator.ts';
import type { Started } from '../../server/host/start.ts';
import pino from 'pino';
import { ADMIN_TOKEN, digitsRun, start } from './harness.ts';

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const log = pino({ level: 'silent' });
const right = bearer(ADMIN_TOKEN);

/** Of a Set-Cookie header: what a browser sends back. */
const cookieOf = (response: Response): string => response.headers.get('set-cookie')!.split(';')[0]!;

let coordinator: Started;
let url: string;
const call = (method: string, path: string, headers: Record<string, string>): Promise<Response> =>
  fetch(url + path, { method, headers });
const signIn = async (): Promise<string> => cookieOf(await call('POST', '/api/admin/session', right));
/** As the dashboard's calls are. */
const page = (cookie: string): Record<string, string> => ({ cookie, origin: url });
const operatorOptions = (wallMs: () => number): OperatorOptions => ({
  ...{ token: ADMIN_TOKEN, tokenGiven: true, secret: Buffer.alloc(32), ended: [] },
  keepToken: () => Promise.resolve(),
  keepEnded: () => undefined,
  nowMs: () => 0,
  wallMs,
});

describe('the operator', () => {
  beforeAll(async () => {
    coordinator = await start([digitsRun()], { trustProxy: true });
    ({ url } = coordinator);
  });
  afterAll(() => coordinator.close());

  it('[I6] [P25] is locked after five guesses, even the right one, for that address', async () => {
    const from = (address: string, token: string): Promise<Response> =>
      call('POST', '/api/runs/digits/pause', { ...bearer(token), 'x-forwarded-for': address });
    for (let i = 0; i < 5; i++) expect((await from('203.0.113.7', `guess-${i}`)).status).toBe(401);
    const locked = await from('203.0.113.7', ADMIN_TOKEN);
    expect(locked.status).toBe(429);
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(880);
    expect(Number(locked.headers.get('retry-after'))).toBeLessThanOrEqual(900);
    expect((await from('203.0.113.8', ADMIN_TOKEN)).status).toBe(200);
  });

  it('[I6] [P25] of the right length and a wrong last letter is wrong, and so are other schemes', async () => {
    const wrong = [`${ADMIN_TOKEN.slice(0, -1)}x`, `${ADMIN_TOKEN}x`, ''];
    for (const token of wrong) expect((await call('GET', '/api/admin', bearer(token))).status).toBe(401);
    expect((await call('GET', '/api/admin', { authorization: `Basic ${ADMIN_TOKEN}` })).status).toBe(401);
  });

  it('[I7] is a cookie that no script reads and no other site sends', async () => {
    const header = (await call('POST', '/api/admin/session', right)).headers.get('set-cookie')!;
    const [, ...flags] = header.split('; ');
    expect(flags.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Strict']);
    expect(header).not.toContain(ADMIN_TOKEN);
    const behindTls = await call('POST', '/api/admin/session', { ...right, origin: url.replace('http:', 'https:') });
    expect(behindTls.headers.get('set-cookie')).toMatch(/; Secure$/);
  });

  it('[I7] [P25] that is forged, cut or another coordinator’s is none', async () => {
    const cookie = await signIn();
    const [name, value] = cookie.split('=') as [string, string];
    const parts = value.split('.');
    const later = [parts[0], `${parts[1]!.slice(0, -1)}z`, parts[2]].join('.');
    for (const wrong of [`${value}x`, value.slice(0, -2), later, '', '..', 'x'.repeat(10_000)]) {
      expect((await call('GET', '/api/admin', { cookie: `${name}=${wrong}` })).status, wrong).toBe(401);
    }
    const other = new Operator(operatorOptions(() => Date.now()));
    expect(other.signedIn({ cookie })).toBe(false);
  });

  it('[I7] ends after twelve hours', () => {
    let wallMs = 1_700_000_000_000;
    const operator = new Operator(operatorOptions(() => wallMs));
    const [cookie] = operator.open(false).split(';');
    wallMs += SESSION_MS;
    expect(operator.signedIn({ cookie: cookie! })).toBe(true);
    wallMs += 1;
    expect(operator.signedIn({ cookie: cookie! })).toBe(false);
  });
});

/** A start reads data and may build a database. */
const RESTARTS_MS_MAX = 240_000;

describe('the state folder', { timeout: RESTARTS_MS_MAX }, () => {
  let stateDir: string;
  const told: string[] = [];
  const begin = async (adminToken: string | null): Promise<void> => {
    told.length = 0;
    coordinator = await start([digitsRun()], {
      ...{ stateDir, adminToken },
      log: pino({ level: 'error' }, { write: (line) => void told.push(line) }),
    });
    ({ url } = coordinator);
  };
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'murmuration-'));
  });
  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  it('[I6] keeps the token for the owner alone, and it is the same after a restart', async () => {
    const { token, operator } = await openOperator({ stateDir, adminToken: null, secret: Buffer.alloc(32), log });
    expect(token).toMatch(/^[\w-]{24}$/);
    const file = join(stateDir, 'admin-token');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, 'utf8')).trim()).toBe(token);
    expect(operator.access(bearer(token), 'somewhere')).toEqual({ ok: true, by: 'token' });
    const again = await openOperator({ stateDir, adminToken: null, secret: Buffer.alloc(32), log });
    expect(again.token).toBe(token);
    await writeFile(file, 'two lines\nof text\n');
    await expect(openOperator({ stateDir, adminToken: null, secret: Buffer.alloc(32), log })).rejects.toThrow(
      /admin-token has no token: expected one line/,
    );
  });

  it('[I7] stands for the token until it is ended, also over a restart', async () => {
    await begin(ADMIN_TOKEN);
    const [cookie, other] = [await signIn(), await signIn()];
    expect(await (await call('GET', '/api/admin/session', { cookie })).json()).toEqual({ signedIn: true });
    expect((await call('POST', '/api/runs/digits/pause', page(cookie))).status).toBe(200);
    await coordinator.close();
    await begin(ADMIN_TOKEN);
    expect((await call('POST', '/api/runs/digits/resume', page(cookie))).status).toBe(200);
    const end = await call('DELETE', '/api/admin/session', page(cookie));
    expect([end.status, end.headers.get('set-cookie')!.split('; ')[1]]).toEqual([204, 'Path=/']);
    expect((await call('GET', '/api/admin', { cookie })).status).toBe(401);
    expect(await (await call('GET', '/api/admin/session', { cookie })).json()).toEqual({ signedIn: false });
    expect((await call('GET', '/api/admin', { cookie: other })).status).toBe(200);
    await expect.poll(() => readFile(join(stateDir, 'ended-sessions.json'), 'utf8').catch(() => '')).toContain('[[');
    await coordinator.close();
    await begin(ADMIN_TOKEN);
    expect((await call('GET', '/api/admin', { cookie })).status).toBe(401);
    expect((await call('GET', '/api/admin', { cookie: other })).status).toBe(200);
    await coordinator.close();
  });

  it('[I7] can be changed: the old one and every session end, also after a restart', async () => {
    await begin(null);
    const old = coordinator.adminToken;
    const cookie = cookieOf(await call('POST', '/api/admin/session', bearer(old)));
    const changed = await call('POST', '/api/admin/rotate', bearer(old));
    const { token } = (await changed.json()) as { token: string };
    expect((await call('GET', '/api/admin', bearer(old))).status).toBe(401);
    expect((await call('GET', '/api/admin', { cookie })).status).toBe(401);
    expect((await call('GET', '/api/admin', bearer(token))).status).toBe(200);
    await coordinator.close();
    await begin(null);
    expect(coordinator.adminToken).toBe(token);
    expect((await call('GET', '/api/admin', { cookie })).status).toBe(401);
    await coordinator.close();
  });

  it('[I7] [I10] that cannot be written keeps the old token; the environment’s comes back anyway, and that is said', async () => {
    await begin(ADMIN_TOKEN);
    const missing = `${stateDir}-moved`;
    await rename(stateDir, missing);
    await writeFile(stateDir, 'in the way');
    const refused = await call('POST', '/api/admin/rotate', right);
    expect(refused.status).toBe(503);
    const { error } = (await refused.json()) as { error: string };
    expect(error).toMatch(/^the token stays as it is: .* the log says why$/);
    expect(error).not.toContain('/');
    expect(told.join()).toContain(`cannot write ${stateDir}`);
    await rm(stateDir);
    await rename(missing, stateDir);
    expect(await (await call('POST', '/api/admin/rotate', right)).json()).toMatchObject({
      token: expect.stringMatching(/^[\w-]{24}$/) as string,
      warning: expect.stringContaining('ADMIN_TOKEN') as string,
    });
    await coordinator.close();
  });
});
