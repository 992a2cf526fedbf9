// Who may be a worker, and which one: devices over reconnections and restarts, join codes, lists, bans.

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { STREAM_UNKNOWN_TOKEN } from '../../shared/protocol/stream.ts';
import type { Started } from '../../server/host/start.ts';
import { asRunId } from '../../shared/ids.ts';
import { ADMIN_TOKEN, digitsRun, start } from './harness.ts';
import {
  challengeOf,
  connect,
  prove,
  proveOn,
  pullStatus,
  refusalOf,
  TestDevice,
  welcomed,
  type Control,
  type Welcomed,
} from './visitor.ts';

const run = asRunId('digits');
const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
const ok = (welcome: Awaited<ReturnType<typeof prove>>): Welcomed => {
  if (!welcome.ok) throw new Error(welcome.refusal);
  return welcome;
};

describe('a device', () => {
  let coordinator: Started;
  let url: string;
  const sockets: Control[] = [];
  const socket = (): Control => {
    const made = connect(url);
    sockets.push(made);
    return made;
  };
  beforeAll(async () => {
    coordinator = await start([digitsRun(), digitsRun('id: other')]);
    ({ url } = coordinator);
  });
  afterEach(() => sockets.splice(0).forEach((one) => one.disconnect()));
  afterAll(() => coordinator.close());

  it('[I2] is named by its key, on every run', async () => {
    const device = new TestDevice();
    expect(ok(await prove(url, device)).worker).toBe(device.id);
    expect(ok(await prove(url, device, { run: 'other' })).worker).toBe(device.id);
    const rows = coordinator.loop.workers(run).filter(({ id }) => id === device.id);
    expect(rows).toMatchObject([{ standing: { keyed: true } }]);
  });

  it('[I2] without a key is a guest with a name of chance', async () => {
    const [a, b] = [await welcomed(url), await welcomed(url)];
    expect(a.worker).toMatch(/^g[0-9a-f]{20}$/);
    expect(b.worker).not.toBe(a.worker);
    expect((await welcomed(url, { token: a.token })).worker).toBe(a.worker);
  });

  it('[I2] has a numbered worker for each of its tabs, up to sixteen, and none puts another out', async () => {
    const device = new TestDevice();
    const tabs = Array.from({ length: 16 }, socket);
    const names: string[] = [];
    for (const tab of tabs) names.push(ok(await proveOn(tab, device)).worker);
    expect(names).toEqual(Array.from({ length: 16 }, (_, i) => (i === 0 ? device.id : `${device.id}-${i + 1}`)));
    expect(tabs.every(({ connected }) => connected)).toBe(true);
    expect(await proveOn(socket(), device)).toMatchObject({ ok: false, refusal: 'too-many-workers' });
    tabs[4]!.disconnect();
    await expect
      .poll(() => coordinator.loop.workers(run).find(({ id }) => id === names[4])!.state)
      .not.toBe('training');
    expect(ok(await proveOn(socket(), device)).worker).toBe(names[4]); // the tab was reloaded
  });

  it('[I2] is the worker that its token names, though another of its own is free', async () => {
    const device = new TestDevice();
    const [first, second] = [socket(), socket()];
    await proveOn(first, device);
    const { worker, token } = ok(await proveOn(second, device));
    first.disconnect();
    second.disconnect();
    const back = ok(await proveOn(socket(), device, { token }));
    expect(back.worker).toBe(worker);
    expect(worker).toBe(`${device.id}-2`);
  });
});

/** A start reads data and may build a database. */
const RESTARTS_MS_MAX = 240_000;

describe('a restart', { timeout: RESTARTS_MS_MAX }, () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'murmuration-'));
  });
  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  it('[I1] [I2] [I5] brings devices and guests back as themselves, and the banned not at all', async () => {
    const [device, villain] = [new TestDevice(), new TestDevice()];
    const first = await start([digitsRun()], { stateDir });
    const keyed = ok(await prove(first.url, device));
    const guest = await welcomed(first.url);
    ok(await prove(first.url, villain));
    const ban = `${first.url}/api/runs/digits/workers/${villain.id}/ban`;
    expect((await fetch(ban, { method: 'POST', headers: admin })).status).toBe(200);
    await first.close();

    const second = await start([digitsRun()], { stateDir });
    try {
      expect((await welcomed(second.url, { token: guest.token })).worker).toBe(guest.worker);
      expect(ok(await prove(second.url, device)).worker).toBe(keyed.worker);
      expect(await pullStatus(second.url, keyed.token)).toBe(200);
      expect(await prove(second.url, villain)).toMatchObject({ ok: false, refusal: 'banned' });
    } finally {
      await second.close();
    }
  });

  it('[I1] with another secret makes guests new ones, and devices not', async () => {
    const device = new TestDevice();
    const first = await start([digitsRun()]);
    const keyed = ok(await prove(first.url, device));
    const guest = await welcomed(first.url);
    await first.close();
    const second = await start([digitsRun()]);
    try {
      expect((await welcomed(second.url, { token: guest.token })).worker).not.toBe(guest.worker);
      expect(ok(await prove(second.url, device, { token: keyed.token })).worker).toBe(keyed.worker);
    } finally {
      await second.close();
    }
  });
});

describe('admission', () => {
  const CODE = 'open sesame';
  const device = new TestDevice();
  let coordinator: Started;
  let url: string;
  let stateDir: string;
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'murmuration-'));
    const coded = digitsRun(`id: coded\nadmission: { kind: code, code: ${CODE} }`);
    const listed = digitsRun(`id: listed\nadmission: { kind: list, workers: [${device.id}-2] }`);
    coordinator = await start([digitsRun(), coded, listed], { stateDir, record: join(stateDir, 'events.log') });
    ({ url } = coordinator);
  });
  afterAll(async () => {
    await coordinator.close();
    await rm(stateDir, { recursive: true, force: true });
  });

  it('[I4] is told to everyone, and the code to the operator alone', async () => {
    const paths = [
      '/api/runs',
      '/api/runs/coded',
      '/api/runs/coded/workers',
      '/metrics',
      '/api/health',
      '/api/methods',
    ];
    for (const path of paths) expect(await (await fetch(url + path)).text(), path).not.toContain(CODE);
    const runs = (await (await fetch(`${url}/api/runs`)).json()) as { admission: string }[];
    expect(runs.map(({ admission }) => admission)).toEqual(['open', 'code', 'list']);
    const { run: manifest } = await welcomed(url, { run: 'coded', joinCode: CODE });
    expect(JSON.stringify(manifest)).not.toContain(CODE);
    expect((await fetch(`${url}/api/runs/coded/admission`)).status).toBe(401);
    const rule: unknown = await (await fetch(`${url}/api/runs/coded/admission`, { headers: admin })).json();
    expect(rule).toEqual({ kind: 'code', code: CODE });
    expect(await readFile(join(stateDir, 'events.log'), 'latin1')).not.toContain(CODE);
  });

  it('[I4] by a code lets in who knows it, and asks again of who comes back', async () => {
    expect(await refusalOf(url, { run: 'coded' })).toBe('join-code');
    expect(await refusalOf(url, { run: 'coded', joinCode: 'sesame' })).toBe('join-code');
    const { token } = await welcomed(url, { run: 'coded', joinCode: CODE });
    expect(await refusalOf(url, { run: 'coded', token })).toBe('join-code');
    expect(await refusalOf(url, { run: 'coded', token, joinCode: CODE })).toBe(null);
  });

  it('[I4] by a list lets in the devices on it, by proof alone', async () => {
    const other = new TestDevice();
    expect(await refusalOf(url, { run: 'listed' })).toBe('not-listed');
    expect(await prove(url, other, { run: 'listed' })).toMatchObject({ ok: false, refusal: 'not-listed' });
    const { worker } = ok(await prove(url, device, { run: 'listed' }));
    expect(worker).toBe(device.id);
    const stolen = { ...device.proof(await challengeOf(url), 'listed'), key: other.point.toString('base64url') };
    expect(await refusalOf(url, { run: 'listed', proof: stolen })).toBe('bad-key');
  });

  it('[I4] [P25] holds back who guesses codes, even at the right one', async () => {
    const refusals: (string | null)[] = [];
    for (let i = 0; i < 25; i++) refusals.push(await refusalOf(url, { run: 'coded', joinCode: `guess ${i}` }));
    expect(refusals.filter((refusal) => refusal === 'join-code').length).toBeLessThanOrEqual(20);
    expect(refusals.at(-1)).toBe('busy');
    expect(await refusalOf(url, { run: 'coded', joinCode: CODE })).toBe('busy');
    expect(await refusalOf(url)).toBe(null); // other runs are none of that
  });
});

describe('a ban', () => {
  let coordinator: Started;
  let url: string;
  beforeAll(async () => {
    coordinator = await start([digitsRun(), digitsRun('id: other')]);
    ({ url } = coordinator);
  });
  afterAll(() => coordinator.close());
  const judge = (verb: 'ban' | 'unban', worker: string, body?: string): Promise<Response> =>
    fetch(`${url}/api/runs/digits/workers/${worker}/${verb}`, {
      method: 'POST',
      headers: admin,
      ...(body && { body }),
    });

  it('[I5] [P25] cuts off every connection of the device, and lets none in again', async () => {
    const device = new TestDevice();
    const [first, second] = [connect(url), connect(url)];
    const { token } = ok(await proveOn(first, device));
    const { worker, token: other } = ok(await proveOn(second, device));
    const stream = new WebSocket(`${url.replace('http', 'ws')}/data/runs/digits/stream`);
    await once(stream, 'open');
    stream.send(token);
    expect(await pullStatus(url, other)).toBe(200);
    const gone = Promise.all([first, second].map((one) => new Promise((resolve) => one.once('disconnect', resolve))));
    const closed = once(stream, 'close');
    const answer = await judge('ban', worker, JSON.stringify({ reason: 'sends noise' }));
    expect(await answer.json()).toMatchObject([
      { id: device.id, standing: { level: 'banned', banned: 'sends noise' } },
      { id: worker, standing: { level: 'banned', banned: 'sends noise' } },
    ]);
    await gone;
    expect((await closed)[0]).toBe(STREAM_UNKNOWN_TOKEN);
    expect([await pullStatus(url, token), await pullStatus(url, other)]).toEqual([401, 401]);
    const again = connect(url);
    expect(await proveOn(again, device)).toMatchObject({ ok: false, refusal: 'banned' });
    expect(await proveOn(again, device, { token: other })).toMatchObject({ ok: false, refusal: 'banned' });
    again.disconnect();
    expect(ok(await prove(url, device, { run: 'other' })).worker).toBe(device.id);
  });

  it('[I5] is lifted by the operator', async () => {
    const { worker, token } = await welcomed(url);
    await judge('ban', worker);
    expect(await refusalOf(url, { token })).toBe('banned');
    expect((await judge('unban', worker)).status).toBe(200);
    expect(await refusalOf(url, { token })).toBe(null);
  });

  it('[I5] is of a worker, for a reason, and nothing else', async () => {
    const { worker } = await welcomed(url);
    expect((await judge('ban', '__proto__')).status).toBe(404);
    expect((await judge('ban', worker, JSON.stringify({ reason: 'x'.repeat(201) }))).status).toBe(400);
    expect((await judge('ban', worker, JSON.stringify({ cause: 'x' }))).status).toBe(400);
    expect((await judge('ban', worker, '{')).status).toBe(400);
    expect((await judge('ban', worker, 'x'.repeat(10_000))).status).toBe(413);
    expect(coordinator.loop.workers(run).find(({ id }) => id === worker)!.standing.banned).toBe(null);
  });
});
