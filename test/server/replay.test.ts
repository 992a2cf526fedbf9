// The replay command as a person meets it: a process, its output, its exit code; and logs that replay to the same bits.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Recorder } from '../../server/adapters/recorder.ts';
import { Coordinator } from '../../server/core/coordinator.ts';
import type { CoordinatorEvent } from '../../server/core/events.ts';
import { replayLog, replayTrace } from '../../server/host/replay.ts';
import { parseTrace } from '../../server/host/tracefile.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import { runSchema } from '../../shared/config.ts';
import { DATASETS } from '../../shared/data/catalogue.ts';
import { asRunId, asWorkerId } from '../../shared/ids.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { modelSpec } from '../../shared/model/spec.ts';
import { rng } from '../../shared/rng.ts';
import { DEVICE } from '../core/driver.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function traceFile(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function replay(...args: string[]): Promise<Ended> {
  const command = ['--import', 'tsx', 'server/replay.ts', ...args];
  return promisify(execFile)(process.execPath, command, { cwd: ROOT }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr }),
  );
}

const ASGD = { name: 'asgd', learningRate: 0.5, weightDecay: 0 };
const pull = (worker: string) => ({ type: 'pull', worker });
const push = (worker: string, vector: number[], more: object = {}) => ({ type: 'push', worker, vector, ...more });

describe('the replay command', () => {
  it('prints what is sent, and θ after every push and leave', async () => {
    const events = [pull('a'), pull('b'), push('a', [1, 0]), push('b', [1, 4], { samples: 2 }), { type: 'leave', worker: 'a' }]; // prettier-ignore
    const { code, stdout } = await replay(await traceFile('good.json', { method: ASGD, params: [1, 2], events }));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      events: [
        { index: 0, type: 'pull', worker: 'a', version: 0, params: [1, 2] },
        { index: 1, type: 'pull', worker: 'b', version: 0, params: [1, 2] },
        { index: 2, type: 'push', worker: 'a', outcome: 'applied', lag: 0, gap: 0, version: 1, params: [0.5, 2] },
        {
          index: 3,
          type: 'push',
          worker: 'b',
          outcome: 'applied',
          lag: 1,
          gap: expect.closeTo(0.5 / Math.SQRT2, 12) as number, // |1 − 0.5| in one of two elements
          version: 2,
          params: [0, 0],
        },
        { index: 4, type: 'leave', worker: 'a', version: 2, params: [0, 0] },
      ],
    });
  });

  it('ends with 1 and one sentence when there is nothing to play', async () => {
    expect(await replay(join(folder, 'none.json'))).toEqual({
      code: 1,
      stdout: '',
      stderr: `cannot read ${folder}/none.json: there is no such file\n`,
    });
    expect(await replay()).toMatchObject({ code: 1, stderr: 'expected one trace file, or --log and a file\n' });
  });
});

describe('a trace', () => {
  const refused: [string, unknown, RegExp][] = [
    ['that is not JSON', '{', /^\S+ is not JSON: /],
    ['without params', { method: ASGD, events: [] }, /: params: /],
    ['of an unknown method', { method: { ...ASGD, name: 'agd' }, params: [1], events: [] }, /: there is no method "agd"; there are .*asgd/], // prettier-ignore
    ['with a hyper-parameter of another method', { method: { ...ASGD, momentum: 0.9 }, params: [1], events: [] }, /: method "asgd" has no hyper-parameter "momentum"/], // prettier-ignore
    ['with an event of no type', { method: ASGD, params: [1], events: [pull('a'), { worker: 'a' }] }, /: events\[1\]\.type: /], // prettier-ignore
    ['with a vector of words', { method: ASGD, params: [1], events: [pull('a'), { ...pull('a'), type: 'push', vector: ['x'] }] }, /: events\[1\]\.vector\[0\]: /], // prettier-ignore
    ['with a vector too long', { method: ASGD, params: [1], events: [pull('a'), push('a', [1, 2])] }, /: event 1: a vector of 2 numbers, expected 1/], // prettier-ignore
    ['with a name that is no name', { method: ASGD, params: [1], events: [pull('__proto__')] }, /: events\[0\]\.worker: expected a name/], // prettier-ignore
    ['with times that go back', { method: ASGD, params: [1], events: [{ ...pull('a'), atMs: 5 }, { ...pull('a'), atMs: 4 }] }, /: event 1: at 4 ms, before/], // prettier-ignore
  ];
  it.each(refused)('%s is refused in one sentence with the file and the place', async (_what, content, expected) => {
    const file = await traceFile('bad.json', content);
    const refusal = await replayTrace(file).then(
      () => 'played',
      (error: Error) => error.message,
    );
    expect(refusal).toMatch(expected);
    expect(refusal.startsWith(file)).toBe(true);
    expect(refusal).not.toContain('\n');
  });

  it('has a constant learning rate, unless it brings a schedule and the samples of an epoch', async () => {
    const events = [pull('a'), push('a', [1], { samples: 10 }), pull('a'), push('a', [1], { samples: 10 })];
    const schedule = { decay: { kind: 'step', epochs: [1], factor: 0.5 } };
    const last = async (method: object): Promise<number> => {
      const file = await traceFile('schedule.json', { method, params: [1], events, samplesPerEpoch: 20 });
      return (await replayTrace(file)).events.at(-1)!.params[0]!;
    };
    expect(await last(ASGD)).toBe(0);
    expect(await last({ ...ASGD, schedule })).toBe(0.25); // the second push ends the first epoch
  });

  it('is in doubles, or, if it says so, in float32 as a live run is', async () => {
    const method = { name: 'dana-ga', learningRate: 0.1 };
    const trace = { method, params: [0.1], events: [pull('a'), push('a', [0.3])] };
    const sentAndAfter = async (more: object): Promise<unknown> => {
      const { events } = await replayTrace(await traceFile('precise.json', { ...trace, ...more }));
      return events.map(({ params }) => params[0]);
    };
    const [at, moved] = [Math.fround(0.1), Math.fround(Math.fround(0.1) - 0.1 * Math.fround(0.3))];
    expect(await sentAndAfter({})).toEqual([0.1, 0.1 - 0.1 * 0.3]);
    expect(await sentAndAfter({ precision: 'float32' })).toEqual([at, moved]);
    await expect(sentAndAfter({ precision: 'float16' })).rejects.toThrow(/: precision: /);
  });

  it('of a synchronous method keeps its workers in lockstep: a pull waits for the round, and is served by who ends it', async () => {
    const method = { name: 'ssgd', learningRate: 0.5 };
    const events = [pull('a'), pull('b'), push('a', [1]), pull('a'), push('a', [9]), push('b', [3]), push('a', [1])];
    const { events: results } = await replayTrace(await traceFile('bsp.json', { method, params: [1], events }));
    expect(results.slice(2)).toEqual([
      { index: 2, type: 'push', worker: 'a', outcome: 'waiting', lag: 0, gap: 0, version: 0, params: [1] },
      { index: 3, type: 'pull', worker: 'a', outcome: 'waiting', version: 0, params: [] },
      { index: 4, type: 'push', worker: 'a', outcome: 'waiting', reason: 'gate', lag: 0, gap: 0, version: 0, params: [1] }, // prettier-ignore
      { index: 5, type: 'push', worker: 'b', outcome: 'applied', lag: 0, gap: 0, version: 1, params: [0], served: [{ worker: 'a', version: 1, params: [0] }] }, // prettier-ignore
      { index: 6, type: 'push', worker: 'a', outcome: 'applied', lag: 0, gap: 0, version: 2, params: [-0.5] },
    ]);
  });

  it('is checked as a run’s configuration is: defaults filled in', () => {
    const text = JSON.stringify({ method: { name: 'asgd', learningRate: 0.1 }, params: [1], events: [] });
    expect(parseTrace(text, 'f')).toEqual({
      config: { name: 'asgd', learningRate: 0.1, weightDecay: 0, schedule: {} },
      params: [1],
      events: [],
      samplesPerEpoch: 1,
      precision: 'float64',
    });
  });
});

describe('a recorded log', () => {
  /** A short life of a run, told to a coordinator and a recorder at once. Gives θ's digest at its end. */
  async function record(file: string): Promise<string> {
    const run = asRunId('digits');
    const dataset = DATASETS.digits;
    const model = modelSpec('softmax', dataset.sampleShape, dataset.classNames.length);
    const parsed = runSchema.parse({ id: run, name: 'Digits', dataset: 'digits', model: { name: 'softmax' }, method: { name: 'dana-ga', learningRate: 0.1 }, batchSize: 4 }); // prettier-ignore
    const method = methodNamed(await loadMethods(), 'dana-ga');
    const setup = { config: { ...parsed, id: run }, method, model, layout: layoutOf(model), dataset, shardCounts: [40, 40] }; // prettier-ignore
    const coordinator = new Coordinator();
    const recorder = new Recorder(file, (error) => expect.fail(error.message));
    const random = rng('log');
    let nowMs = 0;
    const tell = (event: CoordinatorEvent) => {
      nowMs += random.next() * 50;
      recorder.record(event, nowMs);
      return coordinator.handle(event, nowMs);
    };
    const held: { worker: string; lease: string; samples: number }[] = [];
    tell({ type: 'open', setup });
    for (const worker of ['a', 'b', 'c']) tell({ type: 'join', run, worker: asWorkerId(worker), name: worker, device: DEVICE }); // prettier-ignore
    for (let i = 0; i < 60; i++) {
      const worker = asWorkerId('abc'[random.below(3)]!);
      const own = held.findIndex((one) => one.worker === worker);
      const request = i;
      const effects =
        own < 0
          ? tell({ type: 'pull', run, worker, request })
          : tell({ type: 'push', run, worker, request, lease: held[own]!.lease as never, vector: Float32Array.from({ length: setup.layout.dim }, () => random.normal()), loss: 1, samples: held[own]!.samples, wantsNext: true }); // prettier-ignore
      if (own >= 0) held.splice(own, 1);
      for (const effect of effects) {
        if (effect.type !== 'reply' || effect.reply.next.kind !== 'lease') continue;
        const { id, batches } = effect.reply.next.lease;
        held.push({ worker, lease: id, samples: batches.reduce((sum, { count }) => sum + count, 0) });
      }
    }
    await recorder.close();
    expect(coordinator.summary(run, nowMs).version).toBeGreaterThan(20);
    const theta = coordinator.params(run);
    return createHash('sha256').update(new Uint8Array(theta.buffer)).digest('hex');
  }

  it('replays to the same bits, as often as one likes', async () => {
    const file = join(folder, 'events.log');
    const thetaSha256 = await record(file);
    const first = await replayLog(file);
    expect(first.runs).toEqual([{ id: 'digits', version: expect.any(Number) as number, samples: expect.any(Number) as number, thetaSha256 }]); // prettier-ignore
    const second = await replay('--log', file);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toEqual(first);
  });

  it('that cannot be written is told of once, and stops nothing', async () => {
    const failures: string[] = [];
    const recorder = new Recorder(join(folder, 'none', 'events.log'), (error) => failures.push(error.message));
    for (let i = 0; i < 3; i++) recorder.record({ type: 'tick' }, i);
    await recorder.close();
    recorder.record({ type: 'tick' }, 4);
    expect(failures).toEqual([expect.stringContaining('ENOENT')]);
  });

  it('ends where the disk does not keep up, before memory fills', async () => {
    let kept = 0;
    const open = (...args: unknown[]): void => (args.at(-1) as (error: null, fd: number) => void)(null, 1);
    const hung = { open, write: () => void kept++, writev: () => void kept++, close: () => undefined };
    const failures: string[] = [];
    const stream = createWriteStream('', { fs: hung as object as never });
    await new Promise((resolve) => stream.once('open', resolve));
    const recorder = new Recorder('', (error) => failures.push(error.message), stream);
    const vector = new Float32Array(2 ** 20); // 4 MiB
    const push = { type: 'trusted', run: asRunId('digits'), version: 1, vector } as const;
    for (let i = 0; i < 100; i++) recorder.record(push, i);
    expect(failures).toEqual(['the disk is too slow: 252 MiB wait for it']);
    expect(kept).toBe(1);
    await recorder.close();
  });

  it('that is something else is refused in one sentence', async () => {
    const file = await traceFile('not.log', 'hello');
    await expect(replayLog(file)).rejects.toThrow(`${file} is not a log written by --record`);
  });
});
