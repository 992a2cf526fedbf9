// Another method for a live run, over real sockets: who may ask, what is refused, and that θ keeps its bits.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayLog } from '../../server/host/replay.ts';
import type { Started } from '../../server/host/start.ts';
import { asRunId } from '../../shared/ids.ts';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { ADMIN_TOKEN, digitsRun, PlainWorker, start } from './harness.ts';

const DIM = 7850;
const RUN = asRunId('digits');
let coordinator: Started;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'method-'));
  const method = 'method: { name: nag-asgd, learningRate: 0.01, weightDecay: 0.001 }';
  const second = digitsRun(`id: second\n${method}`);
  coordinator = await start([digitsRun(method), second], { record: join(folder, 'events.log') });
});
afterAll(() => rm(folder, { recursive: true }));

async function change(body: unknown, { token = ADMIN_TOKEN, run = 'digits' } = {}) {
  const response = await fetch(`${coordinator.url}/api/runs/${run}/method`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as RunSummary & { error?: string } };
}

const theta = (): Float32Array => coordinator.loop.params(RUN).slice();
const vector = (value: number): Float32Array => new Float32Array(DIM).fill(value);

describe('a change of method', () => {
  it('is the operator’s alone', async () => {
    expect(await change({ name: 'asgd' }, { token: 'wrong' })).toMatchObject({ status: 401 });
    expect(coordinator.loop.method(RUN).name).toBe('nag-asgd');
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown method', { name: 'agd' }, /^there is no method "agd"; there are .*asgd/],
    ['no name', {}, /^name: /],
    ['a hyper-parameter of another method', { name: 'asgd', momentum: 0.9 }, /^method "asgd" has no hyper-parameter "momentum"/], // prettier-ignore
    ['one out of bounds', { name: 'dana-zero', momentum: 1 }, /^method "dana-zero": momentum is 1, expected /],
    ['two that do not go together', { name: 'async-local-sgd', bufferSize: 4, momentumActivation: 0.5 }, /expected at most 1\/bufferSize = 0.25/], // prettier-ignore
    ['a list', [], /\S/],
    ['what is not JSON', '{"name":', /^the body is not a JSON object/],
  ])('with %s is refused in one sentence, and changes nothing', async (_what, body, sentence) => {
    const before = theta();
    const { status, json } = await change(body);
    expect(status).toBe(400);
    expect(json.error).toMatch(sentence);
    expect(json.error).not.toContain('\n');
    expect(coordinator.loop.method(RUN).name).toBe('nag-asgd');
    expect(theta()).toEqual(before);
  });

  it('[A15] keeps θ, the learning rate and the leases that are out, and the momentum where the new method has one', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const first = await worker.push(await worker.lease(), vector(0.5));
    const before = theta();
    const { status, json } = await change({ name: 'staleness-aware' });
    expect([status, json.method, json.version]).toEqual([200, 'staleness-aware', 1]);
    expect(theta()).toEqual(before);
    expect(coordinator.loop.method(RUN)).toMatchObject({ learningRate: 0.01, weightDecay: 0.001 });
    const { reply } = await worker.push(first.params!, vector(0.5));
    expect(reply).toMatchObject({ outcome: 'applied', version: 2, lag: 0 });
    const moved = before.map((x, i) => (x - theta()[i]!) / 0.01); // = γ·v + g + wd·θ with v of the first push
    expect(moved[0]).toBeCloseTo(0.9 * 0.5 + 0.5, 2);
  });

  it('[A15] [L13] to local steps takes back the leases of gradients, and wants pseudo-gradients from then on', async () => {
    const worker = await PlainWorker.join(coordinator.url);
    const old = await worker.lease();
    expect((await change({ name: 'fedasync', mixing: 0.5, localSteps: 3 })).status).toBe(200);
    const late = await worker.push(old, vector(1));
    expect(late.reply).toMatchObject({ outcome: 'rejected', reason: 'unknown-lease' });
    // The samples of the leases that were taken back go first, then come leases of the new kind's size.
    let lease = late.params!;
    while (lease.lease.batches.length === 1) lease = (await worker.push(lease, vector(0.1))).params!;
    expect(lease.lease.work).toMatchObject({ kind: 'local', optimizer: { name: 'sgd' }, learningRate: 0.01, weightDecay: 0.001 }); // prettier-ignore
    expect(lease.lease.batches.length).toBe(3);
    const asGradient = { ...lease, lease: { ...lease.lease, work: { kind: 'gradient' } as const } };
    const wrong = await worker.send(lease.lease.id, worker.body(asGradient, vector(0.1)));
    expect([wrong.status, (await wrong.json()) as object]).toMatchObject([400, { reason: 'bad-kind' }]);
    const before = theta();
    const { reply } = await worker.push(lease, vector(0.1));
    expect(reply).toMatchObject({ outcome: 'applied', lag: 0 });
    expect(theta()[0]).toBeCloseTo(before[0]! - 0.5 * 0.1, 6);
  });

  it('of a run that has ended is refused', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    await fetch(`${coordinator.url}/api/runs/second/stop`, { method: 'POST', headers });
    const { status, json } = await change({ name: 'asgd' }, { run: 'second' });
    expect([status, json.error]).toEqual([409, 'the run is stopped: it goes on with no method']);
  });

  it('[T5] is in the log, which replays to the same bits', async () => {
    const bits = createHash('sha256').update(new Uint8Array(theta().buffer)).digest('hex');
    await coordinator.close();
    const { runs } = await replayLog(join(folder, 'events.log'));
    expect(runs.find(({ id }) => id === 'digits')?.thetaSha256).toBe(bits);
  });
});
