// How many workers of an open run one address may have, over HTTP as strangers come, behind a proxy that says who they are.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { workersPerAddress, type RunConfig } from '../../shared/config.ts';
import { asRunId } from '../../shared/ids.ts';
import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import { refusalText } from '../../shared/protocol/version.ts';
import { digitsRun, start } from './harness.ts';
import { challengeOf, helloOf, TestDevice, type Welcomed } from './visitor.ts';

const [HERE, THERE] = ['203.0.113.7', '203.0.113.8'];
const CODE = 'a long code';

let coordinator: Started;
const ask = (method: string, path: string, address: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${coordinator.url}/data/runs/${path}`, {
    method,
    ...init,
    headers: { 'x-forwarded-for': address, ...(init.headers as Record<string, string>) },
  });
const hello = async (run: string, address: string, extra: Partial<Hello> = {}): Promise<Welcome> => {
  const body = JSON.stringify(helloOf({ run, ...extra }));
  return (await ask('POST', `${run}/workers`, address, { body })).json() as Promise<Welcome>;
};
const welcomed = async (run: string, address: string, extra: Partial<Hello> = {}): Promise<Welcomed> => {
  const welcome = await hello(run, address, extra);
  if (!welcome.ok) throw new Error(welcome.refusal);
  return welcome;
};
const refusal = async (run: string, address: string, extra: Partial<Hello> = {}): Promise<string | null> => {
  const welcome = await hello(run, address, extra);
  return welcome.ok ? null : welcome.refusal;
};
const bearing = ({ token }: Welcomed): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
const leave = (worker: Welcomed): Promise<Response> => ask('DELETE', `${worker.run.id}/workers`, HERE, bearing(worker));
const pull = async (worker: Welcomed): Promise<number> =>
  (await ask('POST', `${worker.run.id}/leases`, HERE, bearing(worker))).status;

/** A run that takes so many workers of one address. */
const taking = (id: string, max: number, yaml = ''): RunConfig =>
  digitsRun(`id: ${id}\nworkersPerAddressMax: ${max}\n${yaml}`);

describe('how many workers one address may have', () => {
  it('[S7] is an eighth of the run’s, and a classroom’s at least, unless the run says it', () => {
    const of = (yaml: string): number => workersPerAddress(digitsRun(yaml));
    const said = ['workersMax: 40', '', 'workersMax: 4000', 'workersPerAddressMax: 3'].map(of);
    expect(said).toEqual([120, 125, 500, 3]);
  });
});

describe('the workers of one address', () => {
  beforeAll(async () => {
    const code = taking('code', 1, `admission: { kind: code, code: ${CODE} }`);
    const ones = ['keys', 'back', 'lost'].map((id) => taking(id, 1));
    coordinator = await start([taking('two', 2), ...ones, code], { trustProxy: true });
  });
  afterAll(() => coordinator.close());

  it('[S7] have a bound, with a refusal of its own that is counted; others are let in', async () => {
    await welcomed('two', HERE);
    await welcomed('two', HERE);
    const third = await hello('two', HERE);
    expect(third).toMatchObject({ ok: false, refusal: 'too-many-from-address' });
    expect(third).toMatchObject({ message: refusalText('too-many-from-address') });
    expect(await refusal('two', THERE)).toBeNull();
    expect(await (await fetch(`${coordinator.url}/metrics`)).text()).toMatch(
      /turned_away\w*\{reason="too-many-from-address"\} 1\n/,
    );
  });

  it('[S7] count with keys as without: in an open run a key costs nothing', async () => {
    const prove = async (): Promise<Partial<Hello>> => ({
      proof: new TestDevice().proof(await challengeOf(coordinator.url), 'keys'),
    });
    await welcomed('keys', HERE, await prove());
    expect(await refusal('keys', HERE, await prove())).toBe('too-many-from-address');
  });

  it('[S7] [S2] come back as themselves when all places are taken, and leave theirs by a goodbye', async () => {
    const first = await welcomed('back', HERE);
    expect((await welcomed('back', HERE, { token: first.token })).worker).toBe(first.worker);
    await leave(first);
    const second = await welcomed('back', HERE);
    expect(await refusal('back', HERE, { token: first.token })).toBe('too-many-from-address');
    await leave(second);
    expect((await welcomed('back', HERE, { token: first.token })).worker).toBe(first.worker);
  });

  it('[S7] that lost their place while they were gone are nobody until they say hello again', async () => {
    const [first, run] = [await welcomed('lost', HERE), asRunId('lost')];
    expect(await pull(first)).toBe(200);
    // gone without a goodbye, as by a long silence
    coordinator.loop.dispatch({ type: 'leave', run, worker: coordinator.loop.identity(first.token)!.worker });
    await welcomed('lost', HERE);
    expect(await pull(first)).toBe(401);
    expect(coordinator.loop.summary(run).workers).toBe(1);
    expect(await refusal('lost', THERE, { token: first.token })).toBeNull();
    expect(await pull(first)).toBe(200);
  });

  it('[S7] [I4] have none where a code is asked for', async () => {
    for (let i = 0; i < 3; i++) await welcomed('code', HERE, { joinCode: CODE });
  });

  it('[S7] are not counted on this machine, where a proxy’s would all be', async () => {
    for (let i = 0; i < 3; i++) await welcomed('two', '127.0.0.1');
  });
});
