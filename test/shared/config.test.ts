// A run's configuration: what may be left out, and what is refused by name.

import { describe, expect, it } from 'vitest';
import { runSchema } from '../../shared/config.ts';

const least = {
  id: 'digits',
  name: 'Digits',
  dataset: 'digits',
  model: { name: 'ln-mlp' },
  method: { name: 'gap-aware', learningRate: 0.1 },
};

const DEFENCES = {
  clip: 1.5,
  probation: { pushes: 12, weight: 0.2 },
  influence: 2,
  score: { below: 0.25, window: 40, least: 12 },
  spotChecks: { newcomer: 0.1, least: 0.02 },
  broken: 12,
  rollback: 1.5,
  lag: { perWorker: 4, least: 256 },
};

describe('a run', () => {
  it('has a default for everything but what it is', () => {
    expect(runSchema.parse(least)).toEqual({
      ...least,
      method: { ...least.method, weightDecay: 0, schedule: {} },
      batchSize: 64,
      epochs: 10,
      seed: 1,
      shardSamples: 2000,
      codec: { params: 'f32', push: 'f32' },
      evaluateEveryVersions: 200,
      leases: { perWorker: 2, softMinMs: 15_000, softFactor: 3, hardFactor: 4 },
      workersMax: 1000,
      admission: { kind: 'open' },
      defences: DEFENCES,
      checkpoints: { everyMs: 60_000, everyVersions: 200, keep: 5 },
    });
  });

  it('fills in what a nested part leaves out', () => {
    const run = runSchema.parse({ ...least, codec: { push: 'f16' }, leases: { softMinMs: 500 } });
    expect(run.codec).toEqual({ params: 'f32', push: 'f16' });
    expect(run.leases).toEqual({ perWorker: 2, softMinMs: 500, softFactor: 3, hardFactor: 4 });
    const { defences } = runSchema.parse({ ...least, defences: { clip: null } });
    expect(defences).toEqual({ ...DEFENCES, clip: null });
  });

  it('keeps the method’s own hyper-parameters for the method to check', () => {
    const { method } = runSchema.parse({ ...least, method: { ...least.method, momentum: 0.9, kind: 'x' } });
    expect(method).toMatchObject({ momentum: 0.9, kind: 'x' });
  });
});

describe('what is wrong is found by its name:', () => {
  it.each<[string, object, string]>([
    ['an id with capitals', { id: 'Digits' }, 'id'],
    ['an id of 41 letters', { id: 'a'.repeat(41) }, 'id'],
    ['an unknown data set', { dataset: 'imagenet' }, 'dataset'],
    ['an unknown model', { model: { name: 'vit' } }, 'model.name'],
    ['a layer of no units', { model: { name: 'mlp', hidden: [0] } }, 'model.hidden.0'],
    ['17 hidden layers', { model: { name: 'mlp', hidden: Array(17).fill(8) } }, 'model.hidden'],
    ['no learning rate', { method: { name: 'asgd' } }, 'method.learningRate'],
    ['a learning rate of 0', { method: { name: 'asgd', learningRate: 0 } }, 'method.learningRate'],
    ['an infinite learning rate', { method: { name: 'asgd', learningRate: Infinity } }, 'method.learningRate'],
    ['a negative weight decay', { method: { ...least.method, weightDecay: -1 } }, 'method.weightDecay'],
    ['a hyper-parameter that is a list', { method: { ...least.method, momentum: [1] } }, 'method.momentum'],
    [
      'a warm-up from 2',
      { method: { ...least.method, schedule: { warmup: { epochs: 1, from: 2 } } } },
      'method.schedule.warmup.from',
    ],
    ['half a sample', { batchSize: 0.5 }, 'batchSize'],
    ['a join code of five characters', { admission: { kind: 'code', code: 'abcde' } }, 'admission.code'],
    ['a list without workers', { admission: { kind: 'list' } }, 'admission.workers'],
    [
      'a part of a worker’s pushes above 1',
      { defences: { spotChecks: { newcomer: 2, least: 0 } } },
      'defences.spotChecks.newcomer',
    ],
    ['a roll-back at any loss', { defences: { rollback: 1 } }, 'defences.rollback'],
    ['one checkpoint kept', { checkpoints: { keep: 1 } }, 'checkpoints.keep'],
    ['no epochs', { epochs: 0 }, 'epochs'],
    ['NaN epochs', { epochs: NaN }, 'epochs'],
    ['a text for a number', { seed: '1' }, 'seed'],
    ['nine leases a worker', { leases: { perWorker: 9 } }, 'leases.perWorker'],
    ['an unknown codec', { codec: { params: 'f8' } }, 'codec.params'],
    ['no name', { name: '' }, 'name'],
  ])('%s', (_what, change, path) => {
    const result = runSchema.safeParse({ ...least, ...change });
    expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('a field that there is not', () => {
    const issue = runSchema.safeParse({ ...least, epoch: 3 }).error?.issues[0];
    expect(issue).toMatchObject({ code: 'unrecognized_keys', keys: ['epoch'] });
  });

  it('a prototype', () => {
    const parsed: unknown = JSON.parse(JSON.stringify(least).replace('{', '{"__proto__":{"polluted":1},'));
    const result = runSchema.safeParse(parsed);
    expect(result.success).toBe(false);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
