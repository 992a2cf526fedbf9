// Which runs a start opens, and with what.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realDisk } from '../../server/adapters/checkpoints/disk.ts';
import { checkpointName, writeCheckpoint } from '../../server/adapters/checkpoints/folder.ts';
import { encodeCheckpoint } from '../../server/adapters/checkpoints/format.ts';
import { FINISHED_SHOWN_MAX, goingOn, planRuns, reconcile } from '../../server/host/resume.ts';
import { StoredRuns, type Glance } from '../../server/host/stored.ts';
import { asRunId } from '../../shared/ids.ts';
import { digitsRun } from '../server/harness.ts';
import { LAYERS, snapshotOf } from './snapshots.ts';

const glance = (id: string, ended = false): Glance => ({ id: asRunId(id), ended, savedAt: '' });
const byDefault = digitsRun();
const none = { given: [], byDefault, fresh: false };
const given = (...ids: string[]) => ids.map((id) => digitsRun(`id: ${id}`));

describe('a start with no flag', () => {
  it('[C6] opens the default run in an empty folder', () => {
    expect(planRuns([], none)).toEqual({ aside: [], resume: [], begin: [byDefault], hidden: 0 });
  });

  it('[C6] goes on with what is not finished, shows what is, and begins nothing', () => {
    const plan = planRuns([glance('a'), glance('b', true)], none);
    expect(plan).toEqual({ aside: [], resume: ['a', 'b'], begin: [], hidden: 0 });
    expect(planRuns([glance('digits', true)], none)).toMatchObject({ resume: ['digits'], begin: [] });
  });

  it('[C6] shows the latest finished runs, and every unfinished one', () => {
    const finished = Array.from({ length: FINISHED_SHOWN_MAX + 3 }, (_, i) => glance(`f${i}`, true));
    const plan = planRuns([...finished, glance('open')], none);
    expect(plan.hidden).toBe(3);
    expect(plan.resume).toEqual([...finished.slice(0, FINISHED_SHOWN_MAX).map(({ id }) => id), 'open']);
  });
});

describe('a start with --run or --fresh', () => {
  it('[C6] begins what is given and not there, and goes on with all that is', () => {
    const plan = planRuns([glance('a'), glance('b', true)], { ...none, given: given('b', 'c') });
    expect(plan.resume).toEqual(['a', 'b']);
    expect(plan.begin.map(({ id }) => id)).toEqual(['c']);
  });

  it('[C6] with --fresh puts aside what is given, or everything, and begins it', () => {
    const stored = [glance('a'), glance('digits', true)];
    const some = planRuns(stored, { given: given('a'), byDefault, fresh: true });
    expect(some).toMatchObject({ aside: ['a'], resume: ['digits'] });
    expect(some.begin.map(({ id }) => id)).toEqual(['a']);
    expect(planRuns(stored, { ...none, fresh: true })).toMatchObject({
      aside: ['a', 'digits'],
      resume: [],
      begin: [byDefault],
    });
  });
});

describe('a run file that differs from the stored run', () => {
  it('[C7] is followed in what the state does not depend on', () => {
    const file = digitsRun('name: Another\nworkersMax: 7\ncheckpoints: { keep: 9 }\nevaluateEveryVersions: 3');
    const { config, said } = reconcile(byDefault, file);
    expect(config).toEqual(file);
    expect(said).toEqual([]);
  });

  it('[C7] is not followed in its method and its epochs, and that is said', () => {
    const file = digitsRun('method: { name: ssgd, learningRate: 0.5 }\nepochs: 3');
    const { config, said } = reconcile(byDefault, file);
    expect(config).toEqual(byDefault);
    expect(said).toEqual([
      expect.stringMatching(/^method is .*asgd.* in the folder and .*ssgd.* in the file; the stored one counts$/),
      'epochs is 10 in the folder and 3 in the file; the stored one counts',
    ]);
  });

  it.each(['model: { name: mlp }', 'seed: 2', 'batchSize: 7', 'shardSamples: 9', 'dataset: mnist'])(
    '[C7] is refused with the ways out when it is of another run: %s',
    (line) => {
      expect(() => reconcile(byDefault, digitsRun(line))).toThrow(/another run .*another id.*--fresh.*--state/);
    },
  );
});

describe('a folder of runs', () => {
  let state: string;
  beforeEach(() => void (state = mkdtempSync(join(tmpdir(), 'murmuration-runs-'))));
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  function save(
    id: string,
    version: number,
    { ended = false, boot = 1, savedAt = '2026-01-01T00:00:00.000Z' } = {},
  ): string {
    const snapshot = { ...snapshotOf(version, ended), config: digitsRun(`id: ${id}`) };
    const encoded = encodeCheckpoint({ snapshot, boot, savedAt }, LAYERS);
    const [folder, name] = [join(state, 'runs', id), checkpointName({ version, boot })];
    writeCheckpoint(realDisk, { folder, name, encoded, keep: 3, damaged: [] });
    return join(folder, name);
  }

  it('[C6] is looked through: the latest first, with what is finished', () => {
    save('old', 5, { ended: true, boot: 4 });
    save('new', 3, { savedAt: '2026-01-02T00:00:00.000Z' });
    realDisk.makeFolder(join(state, 'runs', 'empty'));
    realDisk.makeFolder(join(state, 'runs', 'Not A Run'));
    const runs = new StoredRuns(realDisk, state);
    expect(runs.all().map(({ id, ended }) => [id, ended])).toEqual([
      ['new', false],
      ['old', true],
    ]);
    expect(runs.highestBoot()).toBe(4);
    expect(new StoredRuns(realDisk, join(state, 'none')).all()).toEqual([]);
  });

  it('[C6] keeps what is put aside, whole and for ever', () => {
    const runs = new StoredRuns(realDisk, state);
    for (const version of [1, 2, 3]) {
      save('digits', version);
      runs.putAside(asRunId('digits'));
    }
    expect(runs.all()).toEqual([]);
    expect(readdirSync(join(state, 'aside'))).toEqual(['digits-1', 'digits-2', 'digits-3']);
    expect(readdirSync(join(state, 'aside', 'digits-2'))).toEqual([checkpointName({ version: 2, boot: 1 })]);
  });

  it('[C7] a run goes on from its newest good checkpoint; without any, the start says why and what to do', () => {
    save('digits', 1);
    const newest = save('digits', 2);
    const file = realDisk.create(newest);
    file.write(new Uint8Array(900));
    file.close();
    const runs = new StoredRuns(realDisk, state);
    expect(runs.all()).toEqual([glance('digits')]);
    const opening = goingOn(asRunId('digits'), runs.read(asRunId('digits')), undefined);
    expect(opening).toMatchObject({
      resumed: { version: 1 },
      skipped: [{ name: checkpointName({ version: 2, boot: 1 }) }],
    });
    rmSync(join(state, 'runs', 'digits', checkpointName({ version: 1, boot: 1 })));
    expect(() => goingOn(asRunId('digits'), runs.read(asRunId('digits')), undefined)).toThrow(
      /no checkpoint of run "digits" can be read .*does not begin as a checkpoint does.*--fresh/,
    );
  });
});
