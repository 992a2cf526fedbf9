// The log of a run that was gone on with, with every kind of event: written, read, and played again to the same bits.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording, Recorder } from '../../server/adapters/recorder.ts';
import type { CoordinatorEvent, RunSetup } from '../../server/core/events.ts';
import { rerun } from '../../server/host/rerun.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import { runSchema } from '../../shared/config.ts';
import { DATASETS } from '../../shared/data/catalogue.ts';
import { asRunId, asWorkerId } from '../../shared/ids.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { modelSpec } from '../../shared/model/spec.ts';
import { rng } from '../../shared/rng.ts';
import { Driver, RUN } from '../core/driver.ts';

const methods = await loadMethods();
const WORKERS = ['a', '__proto__', 'constructor', 'd'];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resumed-log-'));
});
afterAll(() => rm(folder, { recursive: true }));

function digits(method: string, config: object = {}): RunSetup {
  const parsed = runSchema.parse({
    ...{
      id: 'tiny',
      name: 'tiny',
      dataset: 'digits',
      model: { name: 'softmax' },
      epochs: 50,
      evaluateEveryVersions: 5,
    },
    ...{ method: { name: method, learningRate: 0.01 }, admission: { kind: 'code', code: 'a secret code' } },
    ...config,
  });
  const { sampleShape, classNames } = DATASETS.digits;
  const model = modelSpec('softmax', sampleShape, classNames.length, []);
  return {
    config: { ...parsed, id: asRunId(parsed.id) },
    method: methodNamed(methods, method),
    model,
    layout: layoutOf(model),
    dataset: DATASETS.digits,
    shardCounts: [200, 300, 100],
    secret: 'decides who is checked',
  };
}

/** Whatever may happen, from a seed. */
function live(driver: Driver, seed: number, times: number): void {
  const random = rng(`log/${seed}`);
  const { dim } = driver.coordinator.setup(RUN).layout;
  const noise = (): Float32Array => Float32Array.from({ length: dim }, () => random.normal());
  const send = (event: CoordinatorEvent): void => void driver.send(event);
  for (let i = 0; i < times; i++) {
    const worker = WORKERS[random.below(WORKERS.length)]!;
    const about = { run: RUN, worker: asWorkerId(worker) };
    const dice = random.below(40);
    if (dice === 0) send({ type: 'away', ...about });
    else if (dice === 1) send({ type: 'leave', ...about });
    else if (dice === 2) send({ type: 'ban', ...about, reason: 'for a while' });
    else if (dice === 3) send({ type: 'unban', ...about });
    else if (dice === 4) send({ type: 'trusted', run: RUN, version: driver.summary().version, vector: noise() });
    else if (dice === 5) send({ type: 'trusted', run: RUN, version: 0, vector: null });
    else if (dice === 6)
      send({
        type: 'recomputed',
        run: RUN,
        check: i,
        same: i % 2 === 0,
        cosine: NaN,
        distance: Infinity,
        lossOff: NaN,
      });
    else if (dice < 9 && driver.evaluations.length > 0) driver.evaluated({ loss: dice === 7 ? 1 : NaN, accuracy: 0.5 });
    else if (dice < 20) driver.join(worker);
    else if (driver.row(worker)) {
      const held = driver.answers.get(driver.ask(worker))?.held;
      if (held) driver.push(worker, held, { vector: noise() });
    }
    driver.advance(random.below(700));
  }
}

describe('the log of a run that was gone on with', () => {
  it.each(['dana-zero', 'gap-aware', 'fedbuff', 'ssgd'])(
    '[K13] [T5] replays to the same bits under %s',
    async (name) => {
      const before = new Driver(digits(name));
      before.join(...WORKERS);
      live(before, 1, 120);
      const resumed = Driver.resumed(before.coordinator.setup(RUN), before.snapshot(), { nowMs: 12.3456, boot: 4 });
      resumed.join(...WORKERS);
      live(resumed, 2, 250);
      resumed.send({ type: 'drain' });
      live(resumed, 3, 20);
      expect(resumed.summary().version).toBeGreaterThan(before.summary().version + 5);

      const path = join(folder, `${name}.log`);
      const recorder = new Recorder(path, (error) => expect.fail(String(error)));
      for (const { event, nowMs } of resumed.log) recorder.record(event, nowMs);
      await recorder.close();
      const records = await readRecording(path);
      expect(records.length).toBe(resumed.log.length);
      expect(JSON.stringify(records)).not.toContain('a secret code');
      for (let time = 0; time < 2; time++) {
        const again = rerun(records, methods);
        const { nowMs } = resumed;
        expect(again.params(RUN)).toEqual(resumed.theta());
        expect(again.summary(RUN, nowMs)).toEqual({ ...resumed.summary(), admission: 'open' });
        expect(again.workers(RUN, nowMs)).toEqual(resumed.coordinator.workers(RUN, nowMs));
        const [facts, theirs] = [again, resumed.coordinator].map((one) => one.snapshot(RUN, nowMs));
        expect(facts!.facts).toEqual(theirs!.facts);
        expect(facts!.state).toEqual(theirs!.state);
      }
    },
  );

  it('[K13] has every type of event in it', () => {
    const driver = new Driver(digits('asgd'));
    driver.join(...WORKERS);
    live(driver, 2, 250);
    const types = new Set(driver.log.map(({ event }) => event.type));
    const wanted = [
      'open',
      'join',
      'away',
      'leave',
      'ban',
      'unban',
      'pull',
      'push',
      'trusted',
      'recomputed',
      'evaluated',
      'tick',
    ];
    expect(wanted.filter((type) => !types.has(type as CoordinatorEvent['type']))).toEqual([]);
  });
});
